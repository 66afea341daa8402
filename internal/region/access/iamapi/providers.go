package iamapi

import (
	"context"
	"slices"

	"github.com/seed-615d3599/roost/internal/region/access/directory"
	"github.com/seed-615d3599/roost/internal/region/access/paging"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// CreateProviderInput is the input of CreateOpenIDConnectProvider.
type CreateProviderInput struct {
	URL            string `json:"Url" required:"true"`
	ClientIDList   []string
	ThumbprintList []string
	Tags           []directory.Tag
}

// ProviderInput names an OpenID Connect provider.
type ProviderInput struct {
	OpenIDConnectProviderArn string `required:"true"`
	paging.Page
}

// ClientIDInput adds or removes a client id of a provider.
type ClientIDInput struct {
	OpenIDConnectProviderArn string `required:"true"`
	ClientID                 string `required:"true"`
}

// ThumbprintInput sets a provider's thumbprints.
type ThumbprintInput struct {
	OpenIDConnectProviderArn string `required:"true"`
	ThumbprintList           []string
}

// TagProviderInput sets tags of a provider, or takes them away.
type TagProviderInput struct {
	OpenIDConnectProviderArn string `required:"true"`
	Tags                     []directory.Tag
	TagKeys                  []string
}

// ProviderARN is the output of CreateOpenIDConnectProvider.
type ProviderARN struct {
	OpenIDConnectProviderArn string
	Tags                     []directory.Tag `json:",omitempty"`
}

// ProviderOutput is the output of GetOpenIDConnectProvider.
type ProviderOutput struct {
	URL            string `json:"Url"`
	ClientIDList   []string
	ThumbprintList []string
	CreateDate     wire.Time
	Tags           []directory.Tag `json:",omitempty"`
}

// ProviderArn is an entry of ListOpenIDConnectProviders.
type ProviderArn struct{ Arn string }

// ProvidersOutput is the output of ListOpenIDConnectProviders.
type ProvidersOutput struct{ OpenIDConnectProviderList []ProviderArn }

func (a *API) providerOperations() []wire.Operation {
	on := wire.On(func(_ *wire.Call, in *ProviderInput) string { return in.OpenIDConnectProviderArn })
	onClient := wire.On(func(_ *wire.Call, in *ClientIDInput) string { return in.OpenIDConnectProviderArn })
	onTags := wire.Targets(func(_ *wire.Call, in *TagProviderInput) []wire.Target {
		t := wire.Target{Resource: in.OpenIDConnectProviderArn, Context: map[string][]string{}}
		return []wire.Target{requestTags(t, in.Tags, in.TagKeys)}
	})
	return []wire.Operation{
		wire.Op("CreateOpenIDConnectProvider", a.createProvider, wire.Targets(func(_ *wire.Call, in *CreateProviderInput) []wire.Target {
			t := wire.Target{Resource: a.people.ProviderARN(in.URL), Context: map[string][]string{}}
			return []wire.Target{requestTags(t, in.Tags, nil)}
		})),
		wire.Op("GetOpenIDConnectProvider", a.getProvider, on),
		wire.Op("ListOpenIDConnectProviders", a.listProviders),
		wire.Op("DeleteOpenIDConnectProvider", func(ctx context.Context, _ *wire.Call, in *ProviderInput) (*nothing, error) {
			return &nothing{}, a.people.DeleteProvider(ctx, in.OpenIDConnectProviderArn)
		}, on),
		wire.Op("AddClientIDToOpenIDConnectProvider", a.changeClients(withID), onClient),
		wire.Op("RemoveClientIDFromOpenIDConnectProvider", a.changeClients(withoutID), onClient),
		wire.Op("UpdateOpenIDConnectProviderThumbprint", a.setThumbprints,
			wire.On(func(_ *wire.Call, in *ThumbprintInput) string { return in.OpenIDConnectProviderArn })),
		wire.Op("TagOpenIDConnectProvider", a.tagProvider, onTags),
		wire.Op("UntagOpenIDConnectProvider", a.tagProvider, onTags),
		wire.Op("ListOpenIDConnectProviderTags", a.listProviderTags, on),
	}
}

func withID(ids []string, id string) []string {
	if slices.Contains(ids, id) {
		return ids
	}
	return append(ids, id)
}

func withoutID(ids []string, id string) []string {
	return slices.DeleteFunc(ids, func(have string) bool { return have == id })
}

func (a *API) setThumbprints(ctx context.Context, _ *wire.Call, in *ThumbprintInput) (*nothing, error) {
	return &nothing{}, a.people.ChangeProvider(ctx, in.OpenIDConnectProviderArn, func(p *directory.Provider) error {
		p.Thumbprints = in.ThumbprintList
		return nil
	})
}

func (a *API) tagProvider(ctx context.Context, _ *wire.Call, in *TagProviderInput) (*nothing, error) {
	return &nothing{}, a.people.TagProvider(ctx, in.OpenIDConnectProviderArn, in.Tags, in.TagKeys)
}

func (a *API) listProviderTags(ctx context.Context, _ *wire.Call, in *ProviderInput) (*TagsOutput, error) {
	p, err := a.people.ReadProvider(ctx, in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	out := &TagsOutput{}
	out.Tags, out.Pages, err = paging.Cut(directory.TagList(p.Tags), in.Page)
	return out, err
}

func (a *API) changeClients(change func(ids []string, id string) []string) func(context.Context, *wire.Call, *ClientIDInput) (*nothing, error) {
	return func(ctx context.Context, _ *wire.Call, in *ClientIDInput) (*nothing, error) {
		return &nothing{}, a.people.ChangeProvider(ctx, in.OpenIDConnectProviderArn, func(p *directory.Provider) error {
			p.ClientIDs = change(p.ClientIDs, in.ClientID)
			return nil
		})
	}
}

func (a *API) createProvider(ctx context.Context, _ *wire.Call, in *CreateProviderInput) (*ProviderARN, error) {
	tags, err := directory.TagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	p := &directory.Provider{URL: in.URL, ClientIDs: in.ClientIDList, Thumbprints: in.ThumbprintList, Tags: tags}
	if err := a.people.CreateProvider(ctx, p); err != nil {
		return nil, err
	}
	return &ProviderARN{OpenIDConnectProviderArn: p.ARN, Tags: in.Tags}, nil
}

func (a *API) getProvider(ctx context.Context, _ *wire.Call, in *ProviderInput) (*ProviderOutput, error) {
	p, err := a.people.ReadProvider(ctx, in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	return &ProviderOutput{URL: p.URL, ClientIDList: p.ClientIDs, ThumbprintList: p.Thumbprints, CreateDate: p.Created, Tags: directory.TagList(p.Tags)}, nil
}

func (a *API) listProviders(ctx context.Context, _ *wire.Call, _ *nothing) (*ProvidersOutput, error) {
	all, err := a.people.Providers(ctx)
	out := &ProvidersOutput{}
	for _, p := range all {
		out.OpenIDConnectProviderList = append(out.OpenIDConnectProviderList, ProviderArn{Arn: p.ARN})
	}
	return out, err
}
