package directory

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// AccessKey is the long-lived key of a user.
type AccessKey struct {
	ID       string
	Secret   string
	UserName string
	Status   string // "Active" or "Inactive"
	Created  wire.Time
}

// Active is the Status of a key that may sign; Inactive of one that may not.
const (
	Active   = "Active"
	Inactive = "Inactive"
)

// LastUse says when and for what a key was used last.
type LastUse struct {
	At      time.Time
	Service string
}

// Key returns an access key as the request path sees it.
func (d *Directory) Key(id string) (*AccessKey, bool) { return d.keys.get(id) }

// Use remembers, in memory only, that a user's key was used for a service.
func (d *Directory) Use(id, service string) {
	now := d.config.Now().UTC().Truncate(time.Minute)
	if last, ok := d.lastUses.Load(id); ok && last.(LastUse) == (LastUse{now, service}) {
		return
	}
	d.lastUses.Store(id, LastUse{At: now, Service: service})
}

// LastUse returns when a user's key was used last since the region started.
func (d *Directory) LastUse(id string) (LastUse, bool) {
	last, ok := d.lastUses.Load(id)
	if !ok {
		return LastUse{}, false
	}
	return last.(LastUse), true
}

// CreateKey makes an access key for a user.
func (d *Directory) CreateKey(ctx context.Context, user string) (*AccessKey, error) {
	id, err := d.uniqueID("AKIA")
	if err != nil {
		return nil, err
	}
	raw := make([]byte, 30)
	if _, err := io.ReadFull(d.config.Rand, raw); err != nil {
		return nil, err
	}
	k := &AccessKey{ID: id[:20], Secret: base64.StdEncoding.EncodeToString(raw), UserName: user, Status: Active, Created: d.now()}
	return k, d.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := get(tx, User, user); err != nil {
			return err
		}
		have, err := userKeys(tx, user)
		if err != nil {
			return err
		}
		if len(have) >= maxKeys {
			return exceeded("Cannot exceed quota for AccessKeysPerUser: %d", maxKeys)
		}
		return put(d, tx, &d.keys, k.ID, k)
	})
}

// SetKeyStatus makes a user's key Active or Inactive.
func (d *Directory) SetKeyStatus(ctx context.Context, user, id, status string) error {
	if status != Active && status != Inactive {
		return Invalid("1 validation error detected: Value '%s' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]", status)
	}
	return d.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		k, err := getKey(tx, user, id)
		if err != nil {
			return err
		}
		k.Status = status
		return put(d, tx, &d.keys, id, k)
	})
}

// DeleteKey removes a user's key.
func (d *Directory) DeleteKey(ctx context.Context, user, id string) error {
	return d.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := getKey(tx, user, id); err != nil {
			return err
		}
		tx.OnCommit(func() { d.lastUses.Delete(id) })
		return remove(d, tx, &d.keys, id)
	})
}

func getKey(tx *store.Tx, user, id string) (*AccessKey, error) {
	if _, err := get(tx, User, user); err != nil {
		return nil, err
	}
	k := &AccessKey{}
	found, err := tx.Get(kindKey, id, k)
	if err == nil && (!found || k.UserName != user) {
		err = NotFound("The Access Key with id %s cannot be found.", id)
	}
	return k, err
}

// KeysOf returns a user's keys.
func (d *Directory) KeysOf(ctx context.Context, user string) (keys []*AccessKey, err error) {
	err = d.config.DB.View(ctx, func(tx *store.Tx) error {
		if _, err := get(tx, User, user); err != nil {
			return err
		}
		keys, err = userKeys(tx, user)
		return err
	})
	return keys, err
}

func userKeys(tx *store.Tx, user string) ([]*AccessKey, error) {
	keys, err := store.All[*AccessKey](tx, kindKey, "")
	return slices.DeleteFunc(keys, func(k *AccessKey) bool { return k.UserName != user }), err
}

// Provider is an OpenID Connect provider.
type Provider struct {
	ARN         string
	URL         string // without "https://"
	ClientIDs   []string
	Thumbprints []string
	Tags        map[string]string `json:",omitempty"`
	Created     wire.Time
}

// ProviderARN is the ARN of the provider at an address.
func (d *Directory) ProviderARN(address string) string {
	return d.ARN("oidc-provider", "/", strings.TrimSuffix(strings.TrimPrefix(address, "https://"), "/"))
}

// FindProvider returns a provider as the request path sees it.
func (d *Directory) FindProvider(arn string) (*Provider, bool) { return d.providers.get(arn) }

// CreateProvider stores a new provider, whose URL is the full one.
func (d *Directory) CreateProvider(ctx context.Context, p *Provider) error {
	full := p.URL
	address, err := url.Parse(full)
	if err != nil || address.Scheme != "https" || address.Host == "" || address.RawQuery != "" || address.Fragment != "" || address.User != nil || len(full) > 255 {
		return wire.Errorf(http.StatusBadRequest, "InvalidInput", "Invalid Open ID Connect Provider URL")
	}
	p.ARN, p.URL, p.Created = d.ProviderARN(full), strings.TrimPrefix(full, "https://"), d.now()
	return d.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		exists, err := tx.Get(kindProvider, p.ARN, &Provider{})
		if err != nil {
			return err
		}
		if exists {
			return alreadyExists("Provider with url %s already exists.", full)
		}
		return d.saveProvider(tx, p)
	})
}

func (d *Directory) saveProvider(tx *store.Tx, p *Provider) error {
	if err := CheckTags("OpenIDConnectProvider", p.Tags); err != nil {
		return err
	}
	if len(p.ClientIDs) > maxClientIDs {
		return exceeded("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d", maxClientIDs)
	}
	if len(p.Thumbprints) > maxThumbprints {
		return wire.Errorf(http.StatusBadRequest, "InvalidInput", "Thumbprint list must contain fewer than %d entries.", maxThumbprints)
	}
	for _, id := range p.ClientIDs {
		if id == "" || len(id) > 255 {
			return wire.Errorf(http.StatusBadRequest, "InvalidInput", "Invalid client id %.300q: it has between 1 and 255 characters", id)
		}
	}
	for _, print := range p.Thumbprints {
		if !thumbprintPattern().MatchString(print) {
			return wire.Errorf(http.StatusBadRequest, "InvalidInput", "Invalid thumbprint %.100q: it has 40 hexadecimal digits", print)
		}
	}
	return put(d, tx, &d.providers, p.ARN, p)
}

func getProvider(tx *store.Tx, arn string) (*Provider, error) {
	p := &Provider{}
	found, err := tx.Get(kindProvider, arn, p)
	if err == nil && !found {
		err = NotFound("OpenIDConnect Provider not found for arn %s", arn)
	}
	return p, err
}

// ChangeProvider reads a provider, lets f alter the copy, and stores it.
func (d *Directory) ChangeProvider(ctx context.Context, arn string, f func(*Provider) error) error {
	return d.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		p, err := getProvider(tx, arn)
		if err != nil {
			return err
		}
		if err := f(p); err != nil {
			return err
		}
		return d.saveProvider(tx, p)
	})
}

// TagProvider sets some tags and takes others away.
func (d *Directory) TagProvider(ctx context.Context, arn string, set []Tag, unset []string) error {
	return d.ChangeProvider(ctx, arn, func(p *Provider) (err error) {
		p.Tags, err = retag(p.Tags, set, unset)
		return err
	})
}

// DeleteProvider removes a provider. As with AWS it is no error if there is
// none (IAM API Reference, DeleteOpenIDConnectProvider).
func (d *Directory) DeleteProvider(ctx context.Context, arn string) error {
	return d.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		return remove(d, tx, &d.providers, arn)
	})
}

// ReadProvider returns a provider.
func (d *Directory) ReadProvider(ctx context.Context, arn string) (p *Provider, err error) {
	err = d.config.DB.View(ctx, func(tx *store.Tx) error {
		p, err = getProvider(tx, arn)
		return err
	})
	return p, err
}

// Providers returns all providers.
func (d *Directory) Providers(ctx context.Context) (list []*Provider, err error) {
	err = d.config.DB.View(ctx, func(tx *store.Tx) error {
		list, err = store.All[*Provider](tx, kindProvider, "")
		return err
	})
	return list, err
}
