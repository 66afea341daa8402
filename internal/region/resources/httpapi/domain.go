package httpapi

import (
	"context"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

func domainProperties() cf.Properties {
	return cf.Properties{
		"DomainName": {Kind: cf.String, Required: true, Replace: true},
		"DomainNameConfigurations": cf.Objects(cf.Properties{
			"CertificateArn":                      {Kind: cf.String},
			"CertificateName":                     {Kind: cf.String, Mode: cf.Recorded, Why: "it is a name for the eye"},
			"EndpointType":                        {Kind: cf.String, Enum: []string{"REGIONAL"}, Why: "HTTP APIs have no other"},
			"IpAddressType":                       {Kind: cf.String, Mode: cf.Recorded, Why: "the region listens on 127.0.0.1"},
			"OwnershipVerificationCertificateArn": {Kind: cf.String, Mode: cf.Recorded, Why: "domain names are not verified"},
			"SecurityPolicy":                      {Kind: cf.String, Enum: []string{"TLS_1_2"}, Why: "HTTP APIs have no other"},
		}),
		"MutualTlsAuthentication": cf.Refuse("client certificates are not verified here; authorize routes in another way"),
		"RoutingMode":             {Kind: cf.String, Enum: []string{"API_MAPPING_ONLY"}, Why: "there are no routing rules here"},
		"Tags":                    {Kind: cf.Map},
	}
}

func domainName() *cf.Type {
	return &cf.Type{
		Name: "AWS::ApiGatewayV2::DomainName", Properties: domainProperties(),
		Attributes: []string{"DomainNameArn", "RegionalDomainName", "RegionalHostedZoneId"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			in := domainMembers(want)
			in["Tags"] = e.WithStackTags(want["Tags"])
			return callDomain(ctx, e, "CreateDomainName", in)
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			if !cf.Same(have.Properties, want, "DomainNameConfigurations", "RoutingMode") {
				next, err := callDomain(ctx, e, "UpdateDomainName", domainMembers(want))
				if err != nil {
					return have, err
				}
				have.Attributes = next.Attributes
			}
			return have, retag(ctx, e, "/domainnames/"+have.ID, have.Properties, want)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			return cf.Gone(e.Call(ctx, service, "DeleteDomainName", map[string]any{"DomainName": have.ID}, nil))
		},
	}
}

// domainMembers are those that the service takes.
func domainMembers(want map[string]any) map[string]any {
	in := cf.Pick(want, "DomainName", "RoutingMode")
	var configurations []map[string]any
	for _, c := range cf.Children(want, "DomainNameConfigurations") {
		configurations = append(configurations, cf.Pick(c, "CertificateArn", "EndpointType", "SecurityPolicy"))
	}
	in["DomainNameConfigurations"] = configurations
	return in
}

func callDomain(ctx context.Context, e *cf.Env, operation string, in map[string]any) (cf.State, error) {
	var out struct {
		DomainName, DomainNameArn string
		DomainNameConfigurations  []struct{ ApiGatewayDomainName, HostedZoneId string }
	}
	if err := e.Call(ctx, service, operation, in, &out); err != nil {
		return cf.State{}, err
	}
	state := cf.State{ID: out.DomainName, Attributes: map[string]any{"DomainNameArn": out.DomainNameArn}}
	for _, c := range out.DomainNameConfigurations {
		state.Attributes["RegionalDomainName"], state.Attributes["RegionalHostedZoneId"] = c.ApiGatewayDomainName, c.HostedZoneId
	}
	return state, nil
}

func apiMapping() *cf.Type {
	table := cf.Properties{
		"ApiId":         {Kind: cf.String, Required: true},
		"ApiMappingKey": {Kind: cf.String},
		"DomainName":    {Kind: cf.String, Required: true, Replace: true},
		"Stage":         {Kind: cf.String, Required: true},
	}
	return &cf.Type{
		Name: "AWS::ApiGatewayV2::ApiMapping", Properties: table, Attributes: []string{"ApiMappingId"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			var out struct{ ApiMappingId string }
			err := e.Call(ctx, service, "CreateApiMapping", cf.Pick(want, "ApiId", "ApiMappingKey", "DomainName", "Stage"), &out)
			return cf.State{ID: out.ApiMappingId, Attributes: map[string]any{"ApiMappingId": out.ApiMappingId}}, err
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			in := table.Delta(have.Properties, want, "ApiId", "ApiMappingKey", "Stage")
			in["DomainName"], in["ApiMappingId"] = cf.Text(want, "DomainName"), have.ID
			return have, e.Call(ctx, service, "UpdateApiMapping", in, nil)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			in := map[string]any{"DomainName": cf.Text(have.Properties, "DomainName"), "ApiMappingId": have.ID}
			return cf.Gone(e.Call(ctx, service, "DeleteApiMapping", in, nil))
		},
	}
}
