package identity

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/seed-615d3599/roost/internal/region/identity/tokens"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Developer identities are people whom a developer's own backend vouches for:
// it calls these operations with AWS credentials.

// DeveloperTokenInput is the input of GetOpenIdTokenForDeveloperIdentity.
type DeveloperTokenInput struct {
	IdentityPoolID string            `json:"IdentityPoolId" required:"true"`
	IdentityID     string            `json:"IdentityId"`
	Logins         map[string]string `required:"true"` // the developer provider's user among them
	PrincipalTags  map[string]string
	TokenDuration  int // seconds, 1 to 86400; 0 means 900
}

func (x *Identity) getDeveloperToken(ctx context.Context, _ *wire.Call, in *DeveloperTokenInput) (*TokenOutput, error) {
	pool, err := x.pool(ctx, in.IdentityPoolID)
	if err != nil {
		return nil, err
	}
	people, err := x.developerLogins(ctx, &pool, in)
	if err != nil {
		return nil, err
	}
	var record *identityRecord
	err = x.config.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := getPool(tx, in.IdentityPoolID); err != nil {
			return err
		}
		record, err = x.developerIdentity(tx, in, people)
		return err
	})
	if err != nil {
		return nil, err
	}
	life := 15 * time.Minute
	if in.TokenDuration > 0 {
		life = time.Duration(in.TokenDuration) * time.Second
	}
	token, err := x.tokens.Sign(ctx, tokens.Token{
		IdentityID: record.ID, PoolID: record.PoolID, PoolARN: x.poolARN(record.PoolID),
		AMR: amr(record.PoolID, people), PrincipalTags: in.PrincipalTags,
	}, life)
	return &TokenOutput{record.ID, token}, err
}

// developerLogins returns the people of the input: the developer's user, on the
// word of who signed the call, and those whom public providers vouch for.
func (x *Identity) developerLogins(ctx context.Context, pool *poolRecord, in *DeveloperTokenInput) ([]person, error) {
	if in.TokenDuration < 0 || in.TokenDuration > 86400 {
		return nil, refuse("ValidationException", "1 validation error detected: Value '%d' at 'tokenDuration' failed to satisfy constraint: Member must have value between 1 and 86400", in.TokenDuration)
	}
	if err := validateTags("principalTags", in.PrincipalTags); err != nil {
		return nil, err
	}
	user, ok := in.Logins[pool.DeveloperProviderName]
	if !ok || pool.DeveloperProviderName == "" {
		return nil, invalidParameter("Logins must hold the developer provider of the identity pool.") // no text was found
	}
	if err := validate(developerUser(user)); err != nil {
		return nil, err
	}
	others := maps.Clone(in.Logins)
	delete(others, pool.DeveloperProviderName)
	people, err := x.verifyLogins(ctx, pool, others)
	developer := person{Provider: pool.DeveloperProviderName, User: user, mapping: pool.DeveloperProviderName}
	return append([]person{developer}, people...), err
}

func developerUser(user string) check {
	return check{name: "developerUserIdentifier", value: user, max: 1024}
}

// developerIdentity returns the identity for a developer's user: the one that
// is asked for, the one that the user has, or a new one.
func (x *Identity) developerIdentity(tx *store.Tx, in *DeveloperTokenInput, people []person) (*identityRecord, error) {
	if in.IdentityID == "" {
		return x.findOrCreate(tx, in.IdentityPoolID, people)
	}
	record, err := getIdentity(tx, in.IdentityID)
	if err == nil && record.PoolID != in.IdentityPoolID {
		err = noIdentity(in.IdentityID)
	}
	if err != nil {
		return nil, err
	}
	owner, err := ownerOf(tx, in.IdentityPoolID, people[0])
	if err != nil {
		return nil, err
	}
	if owner != "" && owner != record.ID {
		return nil, refuse("DeveloperUserAlreadyRegisteredException", "The developer user is already registered with another identity.") // the code is documented, the text was not found
	}
	if owner == "" { // an identity may have several users of the developer
		if err := x.addDeveloper(tx, record, people[0]); err != nil {
			return nil, err
		}
	}
	return record, x.link(tx, record, people[1:])
}

func (x *Identity) addDeveloper(tx *store.Tx, record *identityRecord, who person) error {
	record.Logins = append(record.Logins, login{who.Provider, who.User})
	if err := tx.Put(kindLogin, loginKey(record.PoolID, who), record.ID); err != nil {
		return err
	}
	return x.putIdentity(tx, record)
}

// LookupInput asks for the users of an identity, or the identity of a user.
type LookupInput struct {
	IdentityPoolID          string `json:"IdentityPoolId" required:"true"`
	IdentityID              string `json:"IdentityId"`
	DeveloperUserIdentifier string
	MaxResults              int // 1 to 60; 0 means 60
	NextToken               string
}

// LookupOutput is an identity with a page of its developer users.
type LookupOutput struct {
	IdentityID                  string `json:"IdentityId"`
	DeveloperUserIdentifierList []string
	NextToken                   string `json:",omitempty"`
}

func (x *Identity) lookupDeveloper(ctx context.Context, _ *wire.Call, in *LookupInput) (*LookupOutput, error) {
	pool, err := x.pool(ctx, in.IdentityPoolID)
	if err != nil {
		return nil, err
	}
	if in.MaxResults == 0 {
		in.MaxResults = 60
	}
	if err := validateLimit(in.MaxResults); err != nil {
		return nil, err
	}
	var record *identityRecord
	err = x.config.Store.View(ctx, func(tx *store.Tx) error {
		record, err = findDeveloper(tx, &pool, in)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &LookupOutput{IdentityID: record.ID, DeveloperUserIdentifierList: []string{}}
	var users []string
	for _, l := range record.Logins {
		if l.Provider == pool.DeveloperProviderName && l.User > in.NextToken {
			users = append(users, l.User)
		}
	}
	slices.Sort(users)
	if len(users) > in.MaxResults {
		users = users[:in.MaxResults]
		out.NextToken = users[in.MaxResults-1]
	}
	out.DeveloperUserIdentifierList = append(out.DeveloperUserIdentifierList, users...)
	return out, nil
}

// findDeveloper finds what a look-up asks for. With both an identity and a user
// they must belong together.
func findDeveloper(tx *store.Tx, pool *poolRecord, in *LookupInput) (*identityRecord, error) {
	id := in.IdentityID
	if in.DeveloperUserIdentifier != "" {
		owner, err := ownerOf(tx, pool.IdentityPoolID, person{Provider: pool.DeveloperProviderName, User: in.DeveloperUserIdentifier})
		switch {
		case err != nil:
			return nil, err
		case owner == "":
			return nil, noDeveloper(in.DeveloperUserIdentifier)
		case id != "" && id != owner:
			return nil, refuse("ResourceConflictException", "The identity and the developer user do not belong together.")
		}
		id = owner
	}
	if id == "" {
		return nil, invalidParameter("Either IdentityId or DeveloperUserIdentifier is needed.")
	}
	record, err := getIdentity(tx, id)
	if err == nil && record.PoolID != pool.IdentityPoolID {
		err = noIdentity(id)
	}
	return record, err
}

func noDeveloper(user string) error {
	return refuse("ResourceNotFoundException", "Developer user '%.200s' not found.", user) // no text was found
}

// MergeInput names two users of a developer whose identities become one.
type MergeInput struct {
	SourceUserIdentifier      string `required:"true"`
	DestinationUserIdentifier string `required:"true"`
	DeveloperProviderName     string `required:"true"`
	IdentityPoolID            string `json:"IdentityPoolId" required:"true"`
}

// mergeDevelopers moves the logins of the source's identity to the
// destination's; the source's is gone then.
func (x *Identity) mergeDevelopers(ctx context.Context, _ *wire.Call, in *MergeInput) (*GetIDOutput, error) {
	pool, err := x.pool(ctx, in.IdentityPoolID)
	if err != nil {
		return nil, err
	}
	if pool.DeveloperProviderName != in.DeveloperProviderName {
		return nil, invalidParameter("The identity pool has no developer provider '%.128s'.", in.DeveloperProviderName)
	}
	var merged *identityRecord
	err = x.config.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		find := func(user string) (*identityRecord, error) {
			return findDeveloper(tx, &pool, &LookupInput{DeveloperUserIdentifier: user})
		}
		source, err := find(in.SourceUserIdentifier)
		if err != nil {
			return err
		}
		if merged, err = find(in.DestinationUserIdentifier); err != nil || source.ID == merged.ID {
			return err
		}
		return x.merge(tx, source, merged, pool.DeveloperProviderName)
	})
	if err != nil {
		return nil, err
	}
	return &GetIDOutput{merged.ID}, nil
}

func (x *Identity) merge(tx *store.Tx, source, destination *identityRecord, developer string) error {
	if err := deleteIdentity(tx, source); err != nil {
		return err
	}
	for _, l := range source.Logins {
		if l.Provider != developer && destination.has(l.Provider) {
			return loginTaken()
		}
		if err := x.addDeveloper(tx, destination, person{Provider: l.Provider, User: l.User}); err != nil {
			return err
		}
	}
	return nil
}

// UnlinkDeveloperInput names a developer's user to take from an identity.
type UnlinkDeveloperInput struct {
	IdentityID              string `json:"IdentityId" required:"true"`
	IdentityPoolID          string `json:"IdentityPoolId" required:"true"`
	DeveloperProviderName   string `required:"true"`
	DeveloperUserIdentifier string `required:"true"`
}

func (x *Identity) unlinkDeveloper(ctx context.Context, _ *wire.Call, in *UnlinkDeveloperInput) (*Nothing, error) {
	pool, err := x.pool(ctx, in.IdentityPoolID)
	if err != nil {
		return nil, err
	}
	if pool.DeveloperProviderName != in.DeveloperProviderName {
		return nil, invalidParameter("The identity pool has no developer provider '%.128s'.", in.DeveloperProviderName)
	}
	return &Nothing{}, x.config.Store.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		record, err := findDeveloper(tx, &pool, &LookupInput{IdentityID: in.IdentityID, DeveloperUserIdentifier: in.DeveloperUserIdentifier})
		if err != nil {
			return err
		}
		return x.unlink(tx, record, func(l login) bool {
			return l == login{in.DeveloperProviderName, in.DeveloperUserIdentifier}
		})
	})
}
