// Package directory keeps whom and what IAM knows: users, roles and groups,
// their policies and access keys, managed policies, and OpenID Connect
// providers. It holds them to IAM's rules and quotas.
//
//	d, err := directory.Open(directory.Config{Account: "123456789012", DB: db})
//	err = d.Create(ctx, &directory.Identity{Kind: directory.Role, Name: "app", Trust: document})
//	role, ok := d.Find(directory.Role, "app")
//	policies, err := d.Grants(role)
//
// Methods that take a context work on the state file, in the transaction of the
// context if there is one. The others see what is committed, without a lock:
// they are for deciding. What they return is not changed afterwards; Generation
// tells whether anything was.
package directory

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Config is what Open needs. Account and DB must be given.
type Config struct {
	Account string // 12 digits
	DB      *store.DB
	Now     func() time.Time // nil means time.Now
	Rand    io.Reader        // nil means crypto/rand
}

// Directory is the state of IAM. Make it with Open.
type Directory struct {
	config     Config
	generation atomic.Uint64

	identities map[Kind]*index[*Identity] // by name
	policies   index[*ManagedPolicy]      // by ARN
	keys       index[*AccessKey]          // by access key id
	providers  index[*Provider]           // by ARN
	lastUses   sync.Map                   // access key id → LastUse; of users' keys only
}

// Open reads the state.
func Open(config Config) (*Directory, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	d := &Directory{config: config, identities: map[Kind]*index[*Identity]{}}
	for _, kind := range []Kind{User, Role, Group} {
		d.identities[kind] = &index[*Identity]{kind: kind.stored()}
	}
	d.policies.kind, d.keys.kind, d.providers.kind = kindPolicy, kindKey, kindProvider
	return d, d.load()
}

// Generation changes whenever anything in the directory does.
func (d *Directory) Generation() uint64 { return d.generation.Load() }

// index is what the request path reads without a lock: the committed state of
// one kind of thing.
type index[T any] struct {
	kind string // under which the things are stored
	m    sync.Map
}

func (x *index[T]) get(key string) (T, bool) {
	v, ok := x.m.Load(key)
	if !ok {
		var none T
		return none, false
	}
	return v.(T), true
}

func (x *index[T]) set(key string, v T) { x.m.Store(key, v) }
func (x *index[T]) remove(key string)   { x.m.Delete(key) }

// The kinds under which the rest is stored; identities have a Kind.
const (
	kindPolicy   = "iam-policy"
	kindKey      = "iam-access-key"
	kindProvider = "iam-oidc-provider"
)

func (d *Directory) load() error {
	var unnamed []*Identity
	err := d.config.DB.View(context.Background(), func(tx *store.Tx) error {
		var errs []error
		for kind, shown := range d.identities {
			errs = append(errs, loadAll(tx, shown, (*Identity).compile, func(x *Identity) string { return x.Name }))
			of, err := d.unnamed(tx, kind)
			unnamed, errs = append(unnamed, of...), append(errs, err)
		}
		return errors.Join(append(errs,
			loadAll(tx, &d.policies, (*ManagedPolicy).compile, func(p *ManagedPolicy) string { return p.ARN }),
			loadAll(tx, &d.keys, nil, func(k *AccessKey) string { return k.ID }),
			loadAll(tx, &d.providers, nil, func(p *Provider) string { return p.ARN }),
		)...)
	})
	if err != nil || len(unnamed) == 0 {
		return err
	}
	return d.config.DB.Update(context.Background(), func(_ context.Context, tx *store.Tx) error {
		for _, x := range unnamed {
			if err := x.putName(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// unnamed lists the identities of a kind whose names are not taken: earlier
// versions of Roost did not store names.
func (d *Directory) unnamed(tx *store.Tx, kind Kind) (list []*Identity, err error) {
	names, err := store.All[string](tx, kind.storedNames(), "")
	taken := make(map[string]bool, len(names))
	for _, name := range names {
		taken[name] = true
	}
	d.identities[kind].m.Range(func(name, x any) bool {
		if !taken[name.(string)] {
			list = append(list, x.(*Identity))
		}
		return true
	})
	return list, err
}

func loadAll[T any](tx *store.Tx, into *index[T], compile func(T) error, key func(T) string) error {
	all, err := store.All[T](tx, into.kind, "")
	for _, v := range all {
		if compile != nil {
			if err := compile(v); err != nil {
				return fmt.Errorf("%s %s: %w", into.kind, key(v), err)
			}
		}
		into.set(key(v), v)
	}
	return err
}

// put stores a thing and shows it to the request path on commit.
func put[T any](d *Directory, tx *store.Tx, shown *index[T], key string, v T) error {
	tx.OnCommit(func() {
		shown.set(key, v)
		d.generation.Add(1)
	})
	return tx.Put(shown.kind, key, v)
}

// remove is the opposite of put.
func remove[T any](d *Directory, tx *store.Tx, shown *index[T], key string) error {
	tx.OnCommit(func() {
		shown.remove(key)
		d.generation.Add(1)
	})
	return tx.Delete(shown.kind, key)
}

// uniqueID makes an identifier of AWS's form: four letters that tell the kind
// and 17 of base 32 (IAM User Guide, "IAM identifiers").
func (d *Directory) uniqueID(prefix string) (string, error) {
	raw := make([]byte, 11)
	if _, err := io.ReadFull(d.config.Rand, raw); err != nil {
		return "", err
	}
	return prefix + base32.StdEncoding.EncodeToString(raw)[:17], nil
}

// ARN makes the ARN of a thing of the account: "arn:aws:iam::ACCOUNT:role/path/name".
func (d *Directory) ARN(kind, path, name string) string {
	return "arn:aws:iam::" + d.config.Account + ":" + kind + path + name
}

func (d *Directory) now() wire.Time {
	return wire.Time{Time: d.config.Now().UTC().Truncate(time.Second)}
}
