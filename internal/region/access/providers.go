package access

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// CreateProviderInput is the input of CreateOpenIDConnectProvider.
type CreateProviderInput struct {
	URL            string `json:"Url" required:"true"`
	ClientIDList   []string
	ThumbprintList []string
	Tags           []Tag
}

// ProviderInput names an OpenID Connect provider and what to change of it.
type ProviderInput struct {
	OpenIDConnectProviderArn string `required:"true"`
	ClientID                 string
	ThumbprintList           []string
	Tags                     []Tag
	TagKeys                  []string
}

// ProviderARN is the output of CreateOpenIDConnectProvider.
type ProviderARN struct {
	OpenIDConnectProviderArn string
	Tags                     []Tag `json:",omitempty"`
}

// ProviderOutput is the output of GetOpenIDConnectProvider.
type ProviderOutput struct {
	URL            string `json:"Url"`
	ClientIDList   []string
	ThumbprintList []string
	CreateDate     wire.Time
	Tags           []Tag `json:",omitempty"`
}

// ProviderArn is an entry of ListOpenIDConnectProviders.
type ProviderArn struct{ Arn string }

// ProvidersOutput is the output of ListOpenIDConnectProviders.
type ProvidersOutput struct{ OpenIDConnectProviderList []ProviderArn }

func (a *Access) providerARN(address string) string {
	return "arn:aws:iam::" + a.config.Account + ":oidc-provider/" + strings.TrimSuffix(strings.TrimPrefix(address, "https://"), "/")
}

func (a *Access) providerOperations() []wire.Operation {
	on := wire.On(func(_ *wire.Call, in *ProviderInput) string { return in.OpenIDConnectProviderArn })
	change := func(f func(*identityProvider, *ProviderInput)) func(context.Context, *wire.Call, *ProviderInput) (*nothing, error) {
		return func(ctx context.Context, _ *wire.Call, in *ProviderInput) (*nothing, error) {
			return &nothing{}, a.changeProvider(ctx, in.OpenIDConnectProviderArn, func(p *identityProvider) { f(p, in) })
		}
	}
	return []wire.Operation{
		wire.Op("CreateOpenIDConnectProvider", a.createProvider, wire.On(func(_ *wire.Call, in *CreateProviderInput) string { return a.providerARN(in.URL) })),
		wire.Op("GetOpenIDConnectProvider", a.getProvider, on),
		wire.Op("ListOpenIDConnectProviders", a.listProviders),
		wire.Op("DeleteOpenIDConnectProvider", func(ctx context.Context, _ *wire.Call, in *ProviderInput) (*nothing, error) {
			return &nothing{}, a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
				tx.OnCommit(func() { a.providers.remove(in.OpenIDConnectProviderArn) })
				return tx.Delete(kindProvider, in.OpenIDConnectProviderArn)
			})
		}, on),
		wire.Op("AddClientIDToOpenIDConnectProvider", change(func(p *identityProvider, in *ProviderInput) {
			if !slices.Contains(p.ClientIDs, in.ClientID) {
				p.ClientIDs = append(p.ClientIDs, in.ClientID)
			}
		}), on),
		wire.Op("RemoveClientIDFromOpenIDConnectProvider", change(func(p *identityProvider, in *ProviderInput) {
			p.ClientIDs = slices.DeleteFunc(p.ClientIDs, func(id string) bool { return id == in.ClientID })
		}), on),
		wire.Op("UpdateOpenIDConnectProviderThumbprint", change(func(p *identityProvider, in *ProviderInput) {
			p.Thumbprints = in.ThumbprintList
		}), on),
		wire.Op("TagOpenIDConnectProvider", change(tagProvider), on),
		wire.Op("UntagOpenIDConnectProvider", change(tagProvider), on),
	}
}

func tagProvider(p *identityProvider, in *ProviderInput) {
	if p.Tags == nil {
		p.Tags = map[string]string{}
	}
	for _, tag := range in.Tags {
		p.Tags[tag.Key] = tag.Value
	}
	for _, key := range in.TagKeys {
		delete(p.Tags, key)
	}
}

func (a *Access) createProvider(ctx context.Context, _ *wire.Call, in *CreateProviderInput) (*ProviderARN, error) {
	address, err := url.Parse(in.URL)
	if err != nil || address.Scheme != "https" || address.Host == "" || address.RawQuery != "" {
		return nil, wire.Errorf(400, "InvalidInput", "Invalid Open ID Connect Provider URL")
	}
	p := &identityProvider{
		ARN: a.providerARN(in.URL), URL: strings.TrimPrefix(in.URL, "https://"),
		ClientIDs: in.ClientIDList, Thumbprints: in.ThumbprintList, Tags: tagMap(in.Tags), Created: a.now(),
	}
	err = a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if exists, err := tx.Get(kindProvider, p.ARN, &identityProvider{}); err != nil {
			return err
		} else if exists {
			return exists409("Provider with url %s already exists.", in.URL)
		}
		return a.putProvider(tx, p)
	})
	return &ProviderARN{OpenIDConnectProviderArn: p.ARN, Tags: in.Tags}, err
}

func (a *Access) putProvider(tx *store.Tx, p *identityProvider) error {
	tx.OnCommit(func() { a.providers.set(p.ARN, p) })
	return tx.Put(kindProvider, p.ARN, p)
}

func (a *Access) changeProvider(ctx context.Context, arn string, f func(*identityProvider)) error {
	return a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		p := &identityProvider{}
		found, err := tx.Get(kindProvider, arn, p)
		if err != nil {
			return err
		}
		if !found {
			return noProvider(arn)
		}
		f(p)
		return a.putProvider(tx, p)
	})
}

func noProvider(arn string) error {
	return notFound("OpenIDConnect Provider not found for arn %s", arn)
}

func (a *Access) getProvider(ctx context.Context, _ *wire.Call, in *ProviderInput) (*ProviderOutput, error) {
	p := &identityProvider{}
	err := a.config.DB.View(ctx, func(tx *store.Tx) error {
		found, err := tx.Get(kindProvider, in.OpenIDConnectProviderArn, p)
		if err == nil && !found {
			return noProvider(in.OpenIDConnectProviderArn)
		}
		return err
	})
	return &ProviderOutput{URL: p.URL, ClientIDList: p.ClientIDs, ThumbprintList: p.Thumbprints, CreateDate: p.Created, Tags: tagList(p.Tags)}, err
}

func (a *Access) listProviders(ctx context.Context, _ *wire.Call, _ *nothing) (*ProvidersOutput, error) {
	out := &ProvidersOutput{}
	err := a.config.DB.View(ctx, func(tx *store.Tx) error {
		all, err := store.All[*identityProvider](tx, kindProvider, "")
		for _, p := range all {
			out.OpenIDConnectProviderList = append(out.OpenIDConnectProviderList, ProviderArn{Arn: p.ARN})
		}
		return err
	})
	return out, err
}

// Provider returns what the account knows of an OpenID Connect provider: its
// issuer's URL and the client ids that may use it.
func (a *Access) Provider(arn string) (issuer string, clientIDs []string, ok bool) {
	p, ok := a.providers.get(arn)
	if !ok {
		return "", nil, false
	}
	return "https://" + p.URL, p.ClientIDs, true
}
