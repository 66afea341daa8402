package identity

import (
	"context"
	"slices"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// identityRecord is somebody in a pool: a person with logins, or a guest.
type identityRecord struct {
	ID       string
	PoolID   string
	Logins   []login
	Guest    bool // never had a login
	Created  time.Time
	Modified time.Time
}

// login is a provider's id of a person.
type login struct{ Provider, User string }

func (r *identityRecord) has(provider string) bool {
	return slices.ContainsFunc(r.Logins, func(l login) bool { return l.Provider == provider })
}

// disabled reports that all logins were unlinked: nobody can sign in to it.
func (r *identityRecord) disabled() bool { return !r.Guest && len(r.Logins) == 0 }

// GetIDInput is the input of GetId.
type GetIDInput struct {
	AccountID      string            `json:"AccountId"`
	IdentityPoolID string            `json:"IdentityPoolId" required:"true"`
	Logins         map[string]string // from provider to token
}

// GetIDOutput is the output of GetId.
type GetIDOutput struct {
	IdentityID string `json:"IdentityId"`
}

// getID returns the identity of the person who signs in, or a new guest.
func (x *Identity) getID(ctx context.Context, _ *wire.Call, in *GetIDInput) (*GetIDOutput, error) {
	pool, err := x.pool(ctx, in.IdentityPoolID)
	if err != nil {
		return nil, err
	}
	if in.AccountID != "" && in.AccountID != x.config.Account {
		return nil, noPool(in.IdentityPoolID)
	}
	people, err := x.verifyLogins(ctx, &pool, in.Logins)
	if err != nil {
		return nil, err
	}
	var found *identityRecord
	err = x.config.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		pool, err := getPool(tx, in.IdentityPoolID) // it may be gone meanwhile
		if err != nil {
			return err
		}
		if len(people) == 0 && !*pool.AllowUnauthenticatedIdentities {
			return noGuests()
		}
		found, err = x.findOrCreate(tx, pool.IdentityPoolID, people)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &GetIDOutput{found.ID}, nil
}

// findOrCreate returns the identity that people have, or makes one. Logins
// that belong to two identities are refused.
func (x *Identity) findOrCreate(tx *store.Tx, pool string, people []person) (*identityRecord, error) {
	for _, who := range people {
		owner, err := ownerOf(tx, pool, who)
		if err != nil {
			return nil, err
		}
		if owner == "" {
			continue
		}
		record, err := getIdentity(tx, owner)
		if err != nil {
			return nil, err
		}
		return record, x.link(tx, record, people)
	}
	id, err := x.newID()
	if err != nil {
		return nil, err
	}
	record := &identityRecord{ID: id, PoolID: pool, Guest: len(people) == 0, Created: x.now()}
	if err := tx.Put(kindMember, pool+"/"+id, id); err != nil {
		return nil, err
	}
	if err := x.putIdentity(tx, record); err != nil {
		return nil, err
	}
	return record, x.link(tx, record, people)
}

func (x *Identity) now() time.Time { return x.config.Now().UTC() }

func (x *Identity) putIdentity(tx *store.Tx, record *identityRecord) error {
	record.Modified = x.now()
	record.Guest = record.Guest && len(record.Logins) == 0
	return tx.Put(kindIdentity, record.ID, record)
}

func getIdentity(tx *store.Tx, id string) (*identityRecord, error) {
	record := &identityRecord{}
	ok, err := tx.Get(kindIdentity, id, record)
	if err == nil && !ok {
		err = noIdentity(id)
	}
	return record, err
}

// identity reads an identity and its pool.
func (x *Identity) identity(ctx context.Context, id string) (record *identityRecord, pool poolRecord, err error) {
	if err := validate(identityID(id)); err != nil {
		return nil, pool, err
	}
	err = x.config.Store.View(ctx, func(tx *store.Tx) error {
		if record, err = getIdentity(tx, id); err != nil {
			return err
		}
		pool, err = getPool(tx, record.PoolID)
		return err
	})
	return record, pool, err
}

// signIn checks that logins are those of an identity, and gives it those of
// them that it does not have yet. Without logins it must be a guest.
func (x *Identity) signIn(ctx context.Context, id string, logins map[string]string) (poolRecord, []person, error) {
	_, pool, err := x.identity(ctx, id)
	if err != nil {
		return pool, nil, err
	}
	people, err := x.verifyLogins(ctx, &pool, logins)
	if err != nil {
		return pool, nil, err
	}
	current := false // the common case needs no write
	err = x.config.Store.View(ctx, func(tx *store.Tx) error {
		record, err := getIdentity(tx, id)
		if err == nil {
			current, err = x.mayUse(tx, &pool, record, people)
		}
		return err
	})
	if err != nil || current {
		return pool, people, err
	}
	return pool, people, x.config.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		record, err := getIdentity(tx, id)
		if err != nil {
			return err
		}
		if _, err := x.mayUse(tx, &pool, record, people); err != nil {
			return err
		}
		return x.link(tx, record, people)
	})
}

// mayUse decides whether people may act as an identity, and tells whether it
// has all their logins already.
func (x *Identity) mayUse(tx *store.Tx, pool *poolRecord, record *identityRecord, people []person) (current bool, err error) {
	if record.disabled() {
		return false, noIdentity(record.ID)
	}
	if len(people) == 0 {
		switch {
		case !*pool.AllowUnauthenticatedIdentities:
			return false, noGuests()
		case !record.Guest:
			return false, loginsDontMatch()
		}
		return true, nil
	}
	owned := 0
	for _, who := range people {
		owner, err := ownerOf(tx, record.PoolID, who)
		if err != nil {
			return false, err
		}
		if owner == record.ID {
			owned++
		}
	}
	if owned == 0 && !record.Guest {
		return false, loginsDontMatch()
	}
	return owned == len(people), nil
}

// DescribeIdentityInput names an identity.
type DescribeIdentityInput struct {
	IdentityID string `json:"IdentityId" required:"true"`
}

// Description is what lists and descriptions say of an identity.
type Description struct {
	IdentityID       string   `json:"IdentityId"`
	Logins           []string `json:",omitempty"` // names of providers
	CreationDate     wire.Time
	LastModifiedDate wire.Time
}

func describe(record *identityRecord) Description {
	d := Description{IdentityID: record.ID, CreationDate: wire.Time{Time: record.Created}, LastModifiedDate: wire.Time{Time: record.Modified}}
	for _, l := range record.Logins {
		if !slices.Contains(d.Logins, l.Provider) {
			d.Logins = append(d.Logins, l.Provider)
		}
	}
	return d
}

func (x *Identity) describeIdentity(ctx context.Context, _ *wire.Call, in *DescribeIdentityInput) (*Description, error) {
	record, _, err := x.identity(ctx, in.IdentityID)
	if err != nil {
		return nil, err
	}
	d := describe(record)
	return &d, nil
}

// ListIdentitiesInput asks for a page of a pool's identities.
type ListIdentitiesInput struct {
	IdentityPoolID string `json:"IdentityPoolId" required:"true"`
	MaxResults     int    `required:"true"` // 1 to 60
	NextToken      string
	HideDisabled   bool
}

// ListIdentitiesOutput is a page of identities.
type ListIdentitiesOutput struct {
	IdentityPoolID string `json:"IdentityPoolId"`
	Identities     []Description
	NextToken      string `json:",omitempty"`
}

func (x *Identity) listIdentities(ctx context.Context, _ *wire.Call, in *ListIdentitiesInput) (*ListIdentitiesOutput, error) {
	if err := validateLimit(in.MaxResults); err != nil {
		return nil, err
	}
	if _, err := x.pool(ctx, in.IdentityPoolID); err != nil {
		return nil, err
	}
	out := &ListIdentitiesOutput{IdentityPoolID: in.IdentityPoolID, Identities: []Description{}}
	return out, x.config.Store.View(ctx, func(tx *store.Tx) error {
		members, err := store.All[string](tx, kindMember, in.IdentityPoolID+"/")
		if err != nil {
			return err
		}
		for _, id := range members {
			if id <= in.NextToken {
				continue
			}
			if len(out.Identities) == in.MaxResults {
				out.NextToken = out.Identities[in.MaxResults-1].IdentityID
				return nil
			}
			record, err := getIdentity(tx, id)
			if err != nil {
				return err
			}
			if !in.HideDisabled || !record.disabled() {
				out.Identities = append(out.Identities, describe(record))
			}
		}
		return nil
	})
}

// DeleteIdentitiesInput names identities, of any pools.
type DeleteIdentitiesInput struct {
	IdentityIDsToDelete []string `json:"IdentityIdsToDelete" required:"true"` // 1 to 60
}

// DeleteIdentitiesOutput tells which were not deleted.
type DeleteIdentitiesOutput struct {
	UnprocessedIdentityIDs []Unprocessed `json:"UnprocessedIdentityIds"`
}

// Unprocessed is an identity that was not deleted, and why.
type Unprocessed struct {
	IdentityID string `json:"IdentityId"`
	ErrorCode  string // "AccessDenied" or "InternalServerError"
}

func (x *Identity) deleteIdentities(ctx context.Context, _ *wire.Call, in *DeleteIdentitiesInput) (*DeleteIdentitiesOutput, error) {
	if len(in.IdentityIDsToDelete) > 60 {
		return nil, refuse("ValidationException", "1 validation error detected: Value at 'identityIdsToDelete' failed to satisfy constraint: Member must have length less than or equal to 60")
	}
	for _, id := range in.IdentityIDsToDelete {
		if err := validate(identityID(id)); err != nil {
			return nil, err
		}
	}
	out := &DeleteIdentitiesOutput{UnprocessedIdentityIDs: []Unprocessed{}}
	return out, x.config.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		for _, id := range in.IdentityIDsToDelete {
			record, err := getIdentity(tx, id)
			if wire.Code(err) == "ResourceNotFoundException" {
				continue // it is gone, as was wished
			}
			if err == nil {
				err = deleteIdentity(tx, record)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func deleteIdentity(tx *store.Tx, record *identityRecord) error {
	for _, l := range record.Logins {
		if err := tx.Delete(kindLogin, loginKey(record.PoolID, person{Provider: l.Provider, User: l.User})); err != nil {
			return err
		}
	}
	if err := tx.Delete(kindMember, record.PoolID+"/"+record.ID); err != nil {
		return err
	}
	return tx.Delete(kindIdentity, record.ID)
}

// UnlinkInput names logins to take from an identity, by their providers.
type UnlinkInput struct {
	IdentityID     string            `json:"IdentityId" required:"true"`
	Logins         map[string]string `required:"true"` // proof that the identity is the caller's
	LoginsToRemove []string          `required:"true"`
}

// unlinkIdentity takes logins from an identity. Without the last of them
// nobody can use it any more.
func (x *Identity) unlinkIdentity(ctx context.Context, _ *wire.Call, in *UnlinkInput) (*Nothing, error) {
	_, people, err := x.signIn(ctx, in.IdentityID, in.Logins)
	if err != nil {
		return nil, err
	}
	for _, provider := range in.LoginsToRemove {
		if !slices.ContainsFunc(people, func(p person) bool { return p.Provider == provider }) {
			return nil, loginsDontMatch()
		}
	}
	return &Nothing{}, x.config.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		record, err := getIdentity(tx, in.IdentityID)
		if err != nil {
			return err
		}
		return x.unlink(tx, record, func(l login) bool { return slices.Contains(in.LoginsToRemove, l.Provider) })
	})
}

// unlink takes those logins from an identity that remove tells.
func (x *Identity) unlink(tx *store.Tx, record *identityRecord, remove func(login) bool) error {
	var kept []login
	for _, l := range record.Logins {
		if !remove(l) {
			kept = append(kept, l)
			continue
		}
		if err := tx.Delete(kindLogin, loginKey(record.PoolID, person{Provider: l.Provider, User: l.User})); err != nil {
			return err
		}
	}
	record.Logins = kept
	return x.putIdentity(tx, record)
}
