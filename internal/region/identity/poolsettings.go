package identity

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// RolesInput gives a pool its roles and rules. It replaces those it had.
type RolesInput struct {
	IdentityPoolID string                 `json:"IdentityPoolId" required:"true"`
	Roles          map[string]string      `required:"true"` // "authenticated", "unauthenticated"
	RoleMappings   map[string]RoleMapping // by provider
}

// RolesOutput is what RolesInput has given.
type RolesOutput struct {
	IdentityPoolID string                 `json:"IdentityPoolId"`
	Roles          map[string]string      `json:",omitempty"`
	RoleMappings   map[string]RoleMapping `json:",omitempty"`
}

// RoleMapping tells how a provider's claims choose the role.
type RoleMapping struct {
	Type                    string `required:"true"`   // "Token" or "Rules"
	AmbiguousRoleResolution string `json:",omitempty"` // "AuthenticatedRole" or "Deny"
	RulesConfiguration      *Rules `json:",omitempty"`
}

// Rules are tried in their order.
type Rules struct {
	Rules []Rule `required:"true"` // 1 to 400
}

// Rule gives a role to whose claim matches.
type Rule struct {
	Claim     string `required:"true"`
	MatchType string `required:"true"` // "Equals", "Contains", "StartsWith" or "NotEqual"
	Value     string `required:"true"`
	RoleARN   string `required:"true"`
}

func (x *Identity) setRoles(ctx context.Context, _ *wire.Call, in *RolesInput) (*Nothing, error) {
	for kind, arn := range in.Roles {
		if err := validate(check{name: "roles", value: kind, pattern: rolePattern()}); err != nil {
			return nil, err
		}
		if err := validateRole(arn); err != nil {
			return nil, err
		}
	}
	for provider, mapping := range in.RoleMappings {
		if err := mapping.validate(provider); err != nil {
			return nil, err
		}
	}
	return &Nothing{}, x.changePool(ctx, in.IdentityPoolID, func(record *poolRecord) error {
		record.Roles, record.RoleMappings = in.Roles, in.RoleMappings
		return nil
	})
}

func validateRole(arn string) error {
	if !strings.HasPrefix(arn, "arn:") || !strings.Contains(arn, ":role/") || len(arn) < 20 || len(arn) > 2048 {
		return invalidParameter("Invalid role ARN: %.200s", arn)
	}
	return nil
}

func (m RoleMapping) validate(provider string) error {
	switch m.Type {
	case "Token", "Rules":
	default:
		return invalidParameter("The role mapping of %s has the type %q; it is Token or Rules", provider, m.Type)
	}
	switch m.AmbiguousRoleResolution {
	case "AuthenticatedRole", "Deny":
	default: // the API reference: required for both types
		return invalidParameter("The role mapping of %s needs an AmbiguousRoleResolution: AuthenticatedRole or Deny", provider)
	}
	if m.Type == "Token" {
		return nil
	}
	if m.RulesConfiguration == nil || len(m.RulesConfiguration.Rules) == 0 || len(m.RulesConfiguration.Rules) > 400 {
		return invalidParameter("The role mapping of %s has the type Rules and needs 1 to 400 rules", provider)
	}
	for _, rule := range m.RulesConfiguration.Rules {
		if !slices.Contains([]string{"Equals", "Contains", "StartsWith", "NotEqual"}, rule.MatchType) {
			return invalidParameter("The role mapping of %s has a rule with the MatchType %q; it is Equals, Contains, StartsWith or NotEqual", provider, rule.MatchType)
		}
		if err := validateRole(rule.RoleARN); err != nil {
			return err
		}
	}
	return nil
}

func (x *Identity) getRoles(ctx context.Context, _ *wire.Call, in *PoolInput) (*RolesOutput, error) {
	record, err := x.pool(ctx, in.IdentityPoolID)
	return &RolesOutput{in.IdentityPoolID, record.Roles, record.RoleMappings}, err
}

// TagMapInput names a pool's map of principal tags for a provider.
type TagMapInput struct {
	IdentityPoolID       string `json:"IdentityPoolId" required:"true"`
	IdentityProviderName string `required:"true"`
}

// TagMap tells which claims of a provider become principal tags.
type TagMap struct {
	IdentityPoolID       string `json:"IdentityPoolId" required:"true"`
	IdentityProviderName string `required:"true"`
	// UseDefaults stands for {"username": "sub", "client": "aud"}.
	UseDefaults   bool              `json:",omitempty"`
	PrincipalTags map[string]string `json:",omitempty"` // from tag to claim
}

func (x *Identity) setTagMap(ctx context.Context, _ *wire.Call, in *TagMap) (*TagMap, error) {
	if err := validateTags("principalTags", in.PrincipalTags); err != nil {
		return nil, err
	}
	return in, x.changePool(ctx, in.IdentityPoolID, func(record *poolRecord) error {
		if record.TagMaps == nil {
			record.TagMaps = make(map[string]TagMap)
		}
		record.TagMaps[in.IdentityProviderName] = *in
		return nil
	})
}

func (x *Identity) getTagMap(ctx context.Context, _ *wire.Call, in *TagMapInput) (*TagMap, error) {
	record, err := x.pool(ctx, in.IdentityPoolID)
	found := record.TagMaps[in.IdentityProviderName]
	found.IdentityPoolID, found.IdentityProviderName = in.IdentityPoolID, in.IdentityProviderName
	return &found, err
}

// ResourceInput names a pool by its ARN.
type ResourceInput struct {
	ResourceArn string `required:"true"`
}

// TagInput gives a pool tags.
type TagInput struct {
	ResourceArn string            `required:"true"`
	Tags        map[string]string `required:"true"`
}

// UntagInput takes tags away.
type UntagInput struct {
	ResourceArn string   `required:"true"`
	TagKeys     []string `required:"true"`
}

// TagsOutput are a pool's tags.
type TagsOutput struct{ Tags map[string]string }

func (x *Identity) tagResource(ctx context.Context, _ *wire.Call, in *TagInput) (*Nothing, error) {
	if err := validateTags("tags", in.Tags); err != nil {
		return nil, err
	}
	return &Nothing{}, x.changeTags(ctx, in.ResourceArn, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

func (x *Identity) untagResource(ctx context.Context, _ *wire.Call, in *UntagInput) (*Nothing, error) {
	return &Nothing{}, x.changeTags(ctx, in.ResourceArn, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

func (x *Identity) listTags(ctx context.Context, _ *wire.Call, in *ResourceInput) (*TagsOutput, error) {
	id, err := x.poolOfARN(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	record, err := x.pool(ctx, id)
	out := &TagsOutput{Tags: record.IdentityPoolTags}
	if out.Tags == nil {
		out.Tags = map[string]string{}
	}
	return out, err
}

func (x *Identity) changeTags(ctx context.Context, arn string, f func(map[string]string)) error {
	id, err := x.poolOfARN(arn)
	if err != nil {
		return err
	}
	return x.changePool(ctx, id, func(record *poolRecord) error {
		tags := maps.Clone(record.IdentityPoolTags)
		if tags == nil {
			tags = make(map[string]string)
		}
		f(tags)
		record.IdentityPoolTags = tags
		return validateTags("tags", tags)
	})
}

func (x *Identity) poolOfARN(arn string) (string, error) {
	id, ok := strings.CutPrefix(arn, x.poolARN(""))
	if !ok {
		return "", invalidParameter("Invalid ARN: %.200s", arn)
	}
	return id, nil
}

// maxTags is how many tags a pool or a session may have.
const maxTags = 50

func validateTags(name string, tags map[string]string) error {
	if len(tags) > maxTags {
		return refuse("ValidationException", "1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", name, maxTags)
	}
	for key, value := range tags {
		err := validate(
			check{name: name, value: key, max: 128},
			check{name: name, value: value, max: 256, optional: true})
		if err != nil {
			return err
		}
	}
	return nil
}

// poolOfIdentity names the pool of an identity as the resource of a call.
func (x *Identity) poolOfIdentity(_ *wire.Call, in *DescribeIdentityInput) string {
	var found identityRecord
	_ = x.config.Store.View(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Get(kindIdentity, in.IdentityID, &found)
		return err
	})
	if found.PoolID == "" {
		return "*"
	}
	return x.poolARN(found.PoolID)
}
