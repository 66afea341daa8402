package httpapi

import (
	"context"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/httpapi/definition"
	"github.com/seed-615d3599/roost/internal/region/httpapi/shape"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

type createDomain struct {
	shape.DomainProps
	DomainName string            `json:"domainName" required:"true"`
	Tags       map[string]string `json:"tags,omitempty"`
}

type domainRef struct {
	DomainName string `json:"domainName" uri:"domainName" required:"true"`
}

type updateDomain struct {
	domainRef
	shape.DomainProps
}

type listOfDomain struct {
	domainRef
	page
}

type domainDoc struct {
	shape.DomainProps
	APIMappingSelectionExpression string            `json:"apiMappingSelectionExpression"`
	DomainName                    string            `json:"domainName"`
	DomainNameArn                 string            `json:"domainNameArn"`
	Tags                          map[string]string `json:"tags"`
}

type mappingProps struct {
	APIID         *string `json:"apiId,omitempty"`
	APIMappingKey *string `json:"apiMappingKey,omitempty"`
	Stage         *string `json:"stage,omitempty"`
}

type createMapping struct {
	domainRef
	mappingProps
}

type mappingRef struct {
	domainRef
	APIMappingID string `json:"apiMappingId" uri:"apiMappingId" required:"true"`
}

type updateMapping struct {
	mappingRef
	mappingProps
}

type mappingOut struct {
	APIID         string `json:"apiId"`
	APIMappingID  string `json:"apiMappingId"`
	APIMappingKey string `json:"apiMappingKey"`
	Stage         string `json:"stage"`
}

// mappingDoc is a stored API mapping.
type mappingDoc struct {
	mappingOut
	Domain string `json:"domain"`
}

// putDomain checks, completes and stores a domain name.
func (h *HTTPAPI) putDomain(tx *store.Tx, d *domainDoc) error {
	if err := d.Check(d.DomainName); err != nil {
		return err
	}
	if c := &d.DomainNameConfigurations[0]; c.APIGatewayDomainName == nil {
		id, err := h.id(10)
		if err != nil {
			return err
		}
		c.APIGatewayDomainName = ptr("d-" + id + ".execute-api." + h.config.Region + ".amazonaws.com")
	}
	d.SetDefaults()
	if err := tx.Put(kindDomain, d.DomainName, d); err != nil {
		return err
	}
	return h.serveDomain(tx, d.DomainName)
}

// serveDomain serves a domain name with its mappings once tx is durable.
func (h *HTTPAPI) serveDomain(tx *store.Tx, name string) error {
	d, err := buildDomain(tx, name)
	if err == nil {
		tx.OnCommit(func() { h.config.Gateway.PutDomain(d) })
	}
	return err
}

func buildDomain(tx *store.Tx, name string) (definition.Domain, error) {
	d := definition.Domain{Name: name}
	docs, err := store.All[mappingDoc](tx, kindMapping, name+"/")
	for _, m := range docs {
		d.Mappings = append(d.Mappings, definition.Mapping{Path: m.APIMappingKey, API: m.APIID, Stage: m.Stage})
	}
	return d, err
}

func (h *HTTPAPI) createDomain(ctx context.Context, _ *wire.Call, in *createDomain) (*domainDoc, error) {
	d := &domainDoc{DomainProps: in.DomainProps, DomainName: in.DomainName, Tags: in.Tags,
		APIMappingSelectionExpression: "$request.basepath",
		DomainNameArn:                 "arn:aws:apigateway:" + h.config.Region + "::/domainnames/" + in.DomainName}
	if d.Tags == nil {
		d.Tags = map[string]string{}
	}
	err := h.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		found, err := tx.Get(kindDomain, in.DomainName, &domainDoc{})
		if err != nil {
			return err
		}
		if found {
			return conflict("The domain name you provided already exists.")
		}
		if id, below := strings.CutSuffix(in.DomainName, ".localhost"); below {
			if found, err = tx.Get(kindAPI, id, &apiDoc{}); err != nil {
				return err
			}
			if found {
				return conflict("The domain name %s is the own one of the API %s.", in.DomainName, id)
			}
		}
		return h.putDomain(tx, d)
	})
	return d, err
}

func (h *HTTPAPI) updateDomain(ctx context.Context, _ *wire.Call, in *updateDomain) (d *domainDoc, err error) {
	err = h.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if d, err = get[domainDoc](tx, kindDomain, in.DomainName, "domain name", in.DomainName); err != nil {
			return err
		}
		name := d.DomainNameConfigurations[0].APIGatewayDomainName
		patch(&d.DomainProps, in.DomainProps)
		if len(d.DomainNameConfigurations) == 1 {
			d.DomainNameConfigurations[0].APIGatewayDomainName = name
		}
		return h.putDomain(tx, d)
	})
	return d, err
}

func (h *HTTPAPI) getDomain(ctx context.Context, _ *wire.Call, in *domainRef) (d *domainDoc, err error) {
	err = h.config.DB.View(ctx, func(tx *store.Tx) error {
		d, err = get[domainDoc](tx, kindDomain, in.DomainName, "domain name", in.DomainName)
		return err
	})
	return d, err
}

func (h *HTTPAPI) getDomains(ctx context.Context, _ *wire.Call, in *page) (out *list[domainDoc], err error) {
	err = h.config.DB.View(ctx, func(tx *store.Tx) error {
		docs, err := store.All[domainDoc](tx, kindDomain, "")
		if err == nil {
			out, err = paginate(docs, *in)
		}
		return err
	})
	return out, err
}

func (h *HTTPAPI) deleteDomain(ctx context.Context, _ *wire.Call, in *domainRef) (*none, error) {
	return nil, h.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := get[domainDoc](tx, kindDomain, in.DomainName, "domain name", in.DomainName); err != nil {
			return err
		}
		if err := tx.DeletePrefix(kindMapping, in.DomainName+"/"); err != nil {
			return err
		}
		tx.OnCommit(func() { h.config.Gateway.RemoveDomain(in.DomainName) })
		return tx.Delete(kindDomain, in.DomainName)
	})
}

// putMapping checks and stores an API mapping, with a new id if it has none.
func (h *HTTPAPI) putMapping(tx *store.Tx, m *mappingDoc) error {
	if _, err := get[domainDoc](tx, kindDomain, m.Domain, "domain name", m.Domain); err != nil {
		return err
	}
	if _, err := get[apiDoc](tx, kindAPI, m.APIID, "API", m.APIID); err != nil {
		return err
	}
	if _, err := get[stageDoc](tx, kindStage, m.APIID+"/"+m.Stage, "stage", m.Stage); err != nil {
		return err
	}
	if strings.HasPrefix(m.APIMappingKey, "/") || strings.HasSuffix(m.APIMappingKey, "/") || len(m.APIMappingKey) > 300 {
		return badRequest("ApiMappingKey %q must have no slash at its ends and at most 300 characters", m.APIMappingKey)
	}
	others, err := store.All[mappingDoc](tx, kindMapping, m.Domain+"/")
	if err != nil {
		return err
	}
	for _, o := range others {
		if o.APIMappingKey == m.APIMappingKey && o.APIMappingID != m.APIMappingID {
			return conflict("ApiMapping key already exists for this domain name")
		}
	}
	if m.APIMappingID == "" {
		if len(others) >= quotaMappings {
			return badRequest("Maximum number of API mappings reached: the quota is %d", quotaMappings)
		}
		if m.APIMappingID, err = h.id(6); err != nil {
			return err
		}
	}
	if err := tx.Put(kindMapping, m.Domain+"/"+m.APIMappingID, m); err != nil {
		return err
	}
	return h.serveDomain(tx, m.Domain)
}

func (h *HTTPAPI) createMapping(ctx context.Context, _ *wire.Call, in *createMapping) (*mappingOut, error) {
	if in.APIID == nil || in.Stage == nil {
		return nil, badRequest("ApiId and Stage are needed")
	}
	m := &mappingDoc{Domain: in.DomainName, mappingOut: mappingOut{APIID: *in.APIID, Stage: *in.Stage, APIMappingKey: text(in.APIMappingKey)}}
	err := h.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error { return h.putMapping(tx, m) })
	return &m.mappingOut, err
}

func (h *HTTPAPI) mapping(tx *store.Tx, in *mappingRef) (*mappingDoc, error) {
	if _, err := get[domainDoc](tx, kindDomain, in.DomainName, "domain name", in.DomainName); err != nil {
		return nil, err
	}
	return get[mappingDoc](tx, kindMapping, in.DomainName+"/"+in.APIMappingID, "API mapping", in.APIMappingID)
}

func (h *HTTPAPI) updateMapping(ctx context.Context, _ *wire.Call, in *updateMapping) (out *mappingOut, err error) {
	err = h.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		m, err := h.mapping(tx, &in.mappingRef)
		if err != nil {
			return err
		}
		if in.APIID != nil {
			m.APIID = *in.APIID
		}
		if in.Stage != nil {
			m.Stage = *in.Stage
		}
		if in.APIMappingKey != nil {
			m.APIMappingKey = *in.APIMappingKey
		}
		out = &m.mappingOut
		return h.putMapping(tx, m)
	})
	return out, err
}

func (h *HTTPAPI) getMapping(ctx context.Context, _ *wire.Call, in *mappingRef) (out *mappingOut, err error) {
	err = h.config.DB.View(ctx, func(tx *store.Tx) error {
		m, err := h.mapping(tx, in)
		if err == nil {
			out = &m.mappingOut
		}
		return err
	})
	return out, err
}

func (h *HTTPAPI) getMappings(ctx context.Context, _ *wire.Call, in *listOfDomain) (out *list[mappingOut], err error) {
	err = h.config.DB.View(ctx, func(tx *store.Tx) error {
		if _, err := get[domainDoc](tx, kindDomain, in.DomainName, "domain name", in.DomainName); err != nil {
			return err
		}
		docs, err := store.All[mappingOut](tx, kindMapping, in.DomainName+"/")
		if err == nil {
			out, err = paginate(docs, in.page)
		}
		return err
	})
	return out, err
}

func (h *HTTPAPI) deleteMapping(ctx context.Context, _ *wire.Call, in *mappingRef) (*none, error) {
	return nil, h.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if _, err := h.mapping(tx, in); err != nil {
			return err
		}
		if err := tx.Delete(kindMapping, in.DomainName+"/"+in.APIMappingID); err != nil {
			return err
		}
		return h.serveDomain(tx, in.DomainName)
	})
}
