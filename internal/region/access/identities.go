package access

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// kindOf tells where identities of a kind are kept.
func (a *Access) kindOf(kind string) (storeKind string, x *index[*identity]) {
	switch kind {
	case "user":
		return kindUser, &a.users
	case "role":
		return kindRole, &a.roles
	}
	return kindGroup, &a.groups
}

// create stores a new identity, with its ARN and id filled in.
func (a *Access) create(ctx context.Context, x *identity, idPrefix string) error {
	if err := checkName(x.Kind, x.Name); err != nil {
		return err
	}
	path, err := pathOr(x.Path)
	if err != nil {
		return err
	}
	x.Path = path
	if x.ID, err = a.uniqueID(idPrefix); err != nil {
		return err
	}
	x.ARN = a.arn(x.Kind, x.Path, x.Name)
	x.Created = a.now()
	if x.Boundary != "" {
		if _, err := a.managed(x.Boundary); err != nil {
			return err
		}
	}
	if err := x.compile(); err != nil {
		return malformed(err)
	}
	storeKind, _ := a.kindOf(x.Kind)
	return a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		var old identity
		if exists, err := tx.Get(storeKind, x.Name, &old); err != nil {
			return err
		} else if exists {
			return exists409("%s with name %s already exists.", title(x.Kind), x.Name)
		}
		return a.put(tx, x)
	})
}

// put stores an identity and shows it to the request path on commit.
func (a *Access) put(tx *store.Tx, x *identity) error {
	storeKind, shown := a.kindOf(x.Kind)
	tx.OnCommit(func() { shown.set(x.Name, x) })
	return tx.Put(storeKind, x.Name, x)
}

// read returns an identity as the transaction of ctx, if any, sees it.
func (a *Access) read(ctx context.Context, kind, name string) (*identity, error) {
	storeKind, _ := a.kindOf(kind)
	x := &identity{}
	err := a.config.DB.View(ctx, func(tx *store.Tx) error {
		found, err := tx.Get(storeKind, name, x)
		if err == nil && !found {
			return noSuch(kind, name)
		}
		return err
	})
	return x, err
}

// change reads an identity, lets f alter the copy, and stores it.
func (a *Access) change(ctx context.Context, kind, name string, f func(*identity) error) error {
	storeKind, _ := a.kindOf(kind)
	return a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		x := &identity{}
		found, err := tx.Get(storeKind, name, x)
		if err != nil {
			return err
		}
		if !found {
			return noSuch(kind, name)
		}
		if err := f(x); err != nil {
			return err
		}
		if err := x.compile(); err != nil {
			return malformed(err)
		}
		return a.put(tx, x)
	})
}

// delete removes an identity that has nothing attached to it any more.
func (a *Access) delete(ctx context.Context, kind, name string) error {
	storeKind, shown := a.kindOf(kind)
	return a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		x := &identity{}
		found, err := tx.Get(storeKind, name, x)
		if err != nil {
			return err
		}
		if !found {
			return noSuch(kind, name)
		}
		if err := a.mayDelete(tx, x); err != nil {
			return err
		}
		tx.OnCommit(func() { shown.remove(name) })
		return tx.Delete(storeKind, name)
	})
}

func (a *Access) mayDelete(tx *store.Tx, x *identity) error {
	switch {
	case len(x.Attached) > 0:
		return conflict("Cannot delete entity, must detach all policies first.")
	case len(x.Inline) > 0:
		return conflict("Cannot delete entity, must delete policies first.")
	case len(x.Groups) > 0:
		return conflict("Cannot delete entity, must remove users from group first.")
	}
	switch x.Kind {
	case "user":
		keys, err := userKeys(tx, x.Name)
		if err != nil {
			return err
		}
		if len(keys) > 0 {
			return conflict("Cannot delete entity, must delete access keys first.")
		}
	case "group":
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

func groupMembers(tx *store.Tx, group string) ([]*identity, error) {
	users, err := store.All[*identity](tx, kindUser, "")
	return slices.DeleteFunc(users, func(u *identity) bool { return !slices.Contains(u.Groups, group) }), err
}

func userKeys(tx *store.Tx, user string) ([]*accessKey, error) {
	keys, err := store.All[*accessKey](tx, kindKey, "")
	return slices.DeleteFunc(keys, func(k *accessKey) bool { return k.UserName != user }), err
}

// list returns the identities of a kind below a path prefix, by name.
func (a *Access) list(ctx context.Context, kind, prefix string) (list []*identity, err error) {
	storeKind, _ := a.kindOf(kind)
	err = a.config.DB.View(ctx, func(tx *store.Tx) error {
		all, err := store.All[*identity](tx, storeKind, "")
		for _, x := range all {
			if len(x.Path) >= len(prefix) && x.Path[:len(prefix)] == prefix {
				list = append(list, x)
			}
		}
		return err
	})
	return list, err
}

// putInline sets an inline policy.
func (a *Access) putInline(ctx context.Context, kind, name, policy, document string) error {
	if !namePattern.MatchString(policy) {
		return invalid("The specified value for policyName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-")
	}
	return a.change(ctx, kind, name, func(x *identity) error {
		x.Inline = maps.Clone(x.Inline)
		if x.Inline == nil {
			x.Inline = map[string]string{}
		}
		x.Inline[policy] = document
		return nil
	})
}

func (a *Access) deleteInline(ctx context.Context, kind, name, policy string) error {
	return a.change(ctx, kind, name, func(x *identity) error {
		if _, ok := x.Inline[policy]; !ok {
			return noSuchPolicy(kind, policy)
		}
		delete(x.Inline, policy)
		return nil
	})
}

func (a *Access) getInline(ctx context.Context, kind, name, policy string) (string, error) {
	x, err := a.read(ctx, kind, name)
	if err != nil {
		return "", err
	}
	document, ok := x.Inline[policy]
	if !ok {
		return "", noSuchPolicy(kind, policy)
	}
	return document, nil
}

// maxAttached is the quota of managed policies for one identity.
const maxAttached = 20

func (a *Access) attach(ctx context.Context, kind, name, arn string) error {
	if _, err := a.managed(arn); err != nil {
		return err
	}
	return a.change(ctx, kind, name, func(x *identity) error {
		if slices.Contains(x.Attached, arn) {
			return nil
		}
		if len(x.Attached) >= maxAttached {
			return limitExceeded("Cannot exceed quota for PoliciesPer%s: %d", title(kind), maxAttached)
		}
		x.Attached = append(x.Attached, arn)
		return nil
	})
}

func (a *Access) detach(ctx context.Context, kind, name, arn string) error {
	return a.change(ctx, kind, name, func(x *identity) error {
		at := slices.Index(x.Attached, arn)
		if at < 0 {
			return notFound("Policy %s was not found.", arn)
		}
		x.Attached = slices.Delete(x.Attached, at, at+1)
		return nil
	})
}

func (a *Access) setBoundary(ctx context.Context, kind, name, arn string) error {
	if arn != "" {
		if _, err := a.managed(arn); err != nil {
			return err
		}
	}
	return a.change(ctx, kind, name, func(x *identity) error {
		x.Boundary = arn
		return nil
	})
}

func (a *Access) tag(ctx context.Context, kind, name string, set []Tag, unset []string) error {
	return a.change(ctx, kind, name, func(x *identity) error {
		tags := maps.Clone(x.Tags)
		if tags == nil {
			tags = map[string]string{}
		}
		for _, tag := range set {
			tags[tag.Key] = tag.Value
		}
		for _, key := range unset {
			delete(tags, key)
		}
		if len(tags) > 50 {
			return limitExceeded("Cannot exceed quota for TagsPer%s: 50", title(kind))
		}
		x.Tags = tags
		return nil
	})
}

func title(kind string) string {
	return map[string]string{"user": "User", "role": "Role", "group": "Group"}[kind]
}

func noSuchPolicy(kind, policy string) error {
	return notFound("The %s policy with name %s cannot be found.", kind, policy)
}

func notFound(format string, args ...any) error {
	return wire.Errorf(http.StatusNotFound, "NoSuchEntity", format, args...)
}
func conflict(format string, args ...any) error {
	return wire.Errorf(http.StatusConflict, "DeleteConflict", format, args...)
}
func exists409(format string, args ...any) error {
	return wire.Errorf(http.StatusConflict, "EntityAlreadyExists", format, args...)
}
func limitExceeded(format string, args ...any) error {
	return wire.Errorf(http.StatusConflict, "LimitExceeded", format, args...)
}
