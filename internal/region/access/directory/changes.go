package directory

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// idPrefixes are what unique ids begin with, by kind.
var idPrefixes = map[Kind]string{User: "AIDA", Role: "AROA", Group: "AGPA"}

// Create stores a new identity of which Kind, Name, Path and whatever else is
// wanted are set, and fills in the rest.
func (d *Directory) Create(ctx context.Context, x *Identity) error {
	if err := checkName(x.Kind, x.Name); err != nil {
		return err
	}
	var err error
	if x.Path, err = CleanPath(x.Path); err != nil {
		return err
	}
	if x.ID, err = d.uniqueID(idPrefixes[x.Kind]); err != nil {
		return err
	}
	x.ARN = d.ARN(string(x.Kind), x.Path, x.Name)
	x.Created = d.now()
	if x.Boundary != "" {
		if err := d.attachable(ctx, x.Boundary); err != nil {
			return err
		}
	}
	return d.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		// Names that differ in case only are the same (IAM User Guide, "IAM and
		// AWS STS quotas", "IAM name requirements").
		var name string
		taken, err := tx.Get(x.Kind.storedNames(), strings.ToLower(x.Name), &name)
		if err != nil {
			return err
		}
		if taken {
			return alreadyExists("%s with name %s already exists.", x.Kind.Title(), x.Name)
		}
		if err := x.putName(tx); err != nil {
			return err
		}
		return d.save(tx, x)
	})
}

// save checks an identity, stores it, and shows it to the request path on
// commit.
func (d *Directory) save(tx *store.Tx, x *Identity) error {
	if err := x.check(); err != nil {
		return err
	}
	var err error
	if x.Trust, err = hidePrincipals(tx, d.config.Account, x.Trust); err != nil {
		return err
	}
	if err := x.compile(); err != nil {
		return err
	}
	return put(d, tx, d.identities[x.Kind], x.Name, x)
}

func get(tx *store.Tx, kind Kind, name string) (*Identity, error) {
	x := &Identity{}
	found, err := tx.Get(kind.stored(), name, x)
	if err == nil && !found {
		err = NoSuch(kind, name)
	}
	return x, err
}

// Read returns an identity.
func (d *Directory) Read(ctx context.Context, kind Kind, name string) (x *Identity, err error) {
	err = d.config.DB.View(ctx, func(tx *store.Tx) (err error) {
		x, err = get(tx, kind, name)
		return err
	})
	return x, err
}

// Change reads an identity, lets f alter the copy, and stores it.
func (d *Directory) Change(ctx context.Context, kind Kind, name string, f func(*Identity) error) error {
	return d.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		x, err := get(tx, kind, name)
		if err != nil {
			return err
		}
		if err := f(x); err != nil {
			return err
		}
		return d.save(tx, x)
	})
}

// Delete removes an identity that has nothing attached to it any more.
func (d *Directory) Delete(ctx context.Context, kind Kind, name string) error {
	return d.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		x, err := get(tx, kind, name)
		if err != nil {
			return err
		}
		if err := mayDelete(tx, x); err != nil {
			return err
		}
		if err := tx.Delete(kind.storedNames(), strings.ToLower(name)); err != nil {
			return err
		}
		return remove(d, tx, d.identities[kind], name)
	})
}

func mayDelete(tx *store.Tx, x *Identity) error {
	switch {
	case len(x.Attached) > 0:
		return conflict("Cannot delete entity, must detach all policies first.")
	case len(x.Inline) > 0:
		return conflict("Cannot delete entity, must delete policies first.")
	case len(x.Groups) > 0:
		return conflict("Cannot delete entity, must remove users from group first.")
	}
	switch x.Kind {
	case User:
		keys, err := userKeys(tx, x.Name)
		if err != nil {
			return err
		}
		if len(keys) > 0 {
			return conflict("Cannot delete entity, must delete access keys first.")
		}
	case Group:
		members, err := groupMembers(tx, x.Name)
		if err != nil {
			return err
		}
		if len(members) > 0 {
			return conflict("Cannot delete entity, must remove users from group first.")
		}
	}
	return nil
}

// List returns the identities of a kind whose path begins with prefix, by name.
func (d *Directory) List(ctx context.Context, kind Kind, prefix string) (list []*Identity, err error) {
	err = d.config.DB.View(ctx, func(tx *store.Tx) error {
		list, err = store.All[*Identity](tx, kind.stored(), "")
		return err
	})
	return slices.DeleteFunc(list, func(x *Identity) bool { return !strings.HasPrefix(x.Path, prefix) }), err
}

// PutInline sets an inline policy.
func (d *Directory) PutInline(ctx context.Context, kind Kind, name, policy, document string) error {
	if err := checkMember("policyName", policy, maxName); err != nil {
		return err
	}
	return d.Change(ctx, kind, name, func(x *Identity) error {
		x.Inline = maps.Clone(x.Inline)
		if x.Inline == nil {
			x.Inline = map[string]string{}
		}
		x.Inline[policy] = document
		return nil
	})
}

// DeleteInline removes an inline policy.
func (d *Directory) DeleteInline(ctx context.Context, kind Kind, name, policy string) error {
	return d.Change(ctx, kind, name, func(x *Identity) error {
		if _, ok := x.Inline[policy]; !ok {
			return NoSuchInline(kind, policy)
		}
		delete(x.Inline, policy)
		return nil
	})
}

// NoSuchInline is IAM's error for an inline policy that is not there.
func NoSuchInline(kind Kind, policy string) error {
	return NotFound("The %s policy with name %s cannot be found.", kind, policy)
}

// Attach attaches a managed policy.
func (d *Directory) Attach(ctx context.Context, kind Kind, name, arn string) error {
	if err := d.attachable(ctx, arn); err != nil {
		return err
	}
	return d.Change(ctx, kind, name, func(x *Identity) error {
		if slices.Contains(x.Attached, arn) {
			return nil
		}
		if len(x.Attached) >= maxAttached {
			return exceeded("Cannot exceed quota for PoliciesPer%s: %d", kind.Title(), maxAttached)
		}
		x.Attached = append(x.Attached, arn)
		return nil
	})
}

// Detach detaches a managed policy.
func (d *Directory) Detach(ctx context.Context, kind Kind, name, arn string) error {
	return d.Change(ctx, kind, name, func(x *Identity) error {
		at := slices.Index(x.Attached, arn)
		if at < 0 {
			return NotFound("Policy %s was not found.", arn)
		}
		x.Attached = slices.Delete(x.Attached, at, at+1)
		return nil
	})
}

// SetBoundary sets the permissions boundary, "" for none.
func (d *Directory) SetBoundary(ctx context.Context, kind Kind, name, arn string) error {
	if arn != "" {
		if err := d.attachable(ctx, arn); err != nil {
			return err
		}
	}
	return d.Change(ctx, kind, name, func(x *Identity) error {
		x.Boundary = arn
		return nil
	})
}

// Tag sets some tags and takes others away.
func (d *Directory) Tag(ctx context.Context, kind Kind, name string, set []Tag, unset []string) error {
	return d.Change(ctx, kind, name, func(x *Identity) (err error) {
		x.Tags, err = retag(x.Tags, set, unset)
		return err
	})
}

// Join makes a user a member of a group.
func (d *Directory) Join(ctx context.Context, user, group string) error {
	if _, err := d.Read(ctx, Group, group); err != nil {
		return err
	}
	return d.Change(ctx, User, user, func(x *Identity) error {
		if slices.Contains(x.Groups, group) {
			return nil
		}
		if len(x.Groups) >= maxGroups {
			return exceeded("Cannot exceed quota for GroupsPerUser: %d", maxGroups)
		}
		x.Groups = append(x.Groups, group)
		return nil
	})
}

// Leave ends a user's membership of a group.
func (d *Directory) Leave(ctx context.Context, user, group string) error {
	if _, err := d.Read(ctx, Group, group); err != nil {
		return err
	}
	return d.Change(ctx, User, user, func(x *Identity) error {
		at := slices.Index(x.Groups, group)
		if at < 0 {
			return NotFound("The user with name %s is not in the group %s.", user, group)
		}
		x.Groups = slices.Delete(x.Groups, at, at+1)
		return nil
	})
}

// Members returns the users in a group.
func (d *Directory) Members(ctx context.Context, group string) (users []*Identity, err error) {
	err = d.config.DB.View(ctx, func(tx *store.Tx) error {
		users, err = groupMembers(tx, group)
		return err
	})
	return users, err
}

func groupMembers(tx *store.Tx, group string) ([]*Identity, error) {
	users, err := store.All[*Identity](tx, User.stored(), "")
	return slices.DeleteFunc(users, func(u *Identity) bool { return !slices.Contains(u.Groups, group) }), err
}

// GroupsOf returns the groups that a user is in.
func (d *Directory) GroupsOf(ctx context.Context, user string) ([]*Identity, error) {
	x, err := d.Read(ctx, User, user)
	if err != nil {
		return nil, err
	}
	var groups []*Identity
	for _, name := range x.Groups {
		group, err := d.Read(ctx, Group, name)
		if err != nil {
			return nil, err
		}
		groups = append(groups, group)
	}
	return groups, nil
}

// ByARN finds the user, group or role of an ARN.
func (d *Directory) ByARN(ctx context.Context, arn string) (*Identity, error) {
	for _, kind := range []Kind{User, Group, Role} {
		if !strings.HasPrefix(arn, d.ARN(string(kind), "/", "")) {
			continue
		}
		x, err := d.Read(ctx, kind, arn[strings.LastIndexByte(arn, '/')+1:])
		if err == nil && x.ARN != arn {
			err = NotFound("%s cannot be found.", arn)
		}
		return x, err
	}
	return nil, wire.Errorf(400, "InvalidInput", "Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
}
