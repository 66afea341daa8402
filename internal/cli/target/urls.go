package target

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/seed-615d3599/roost/internal/cli/embedded"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/control"
	"github.com/seed-615d3599/roost/internal/deploy"
	"github.com/seed-615d3599/roost/internal/term"
)

// APIType is the type of HTTP APIs, the only ones that the embedded region has.
const APIType = "AWS::ApiGatewayV2::Api"

// localURLs returns where the embedded region serves the APIs of a stack, for
// those whose URL is in none of its outputs: an output that a template joins
// from the API's id and AWS::URLSuffix stays AWS's own.
func (t *Target) localURLs(ctx context.Context, d *deploy.Deployer, r deploy.Result) ([]term.Pair, error) {
	if t.Region == nil || r.Err != nil {
		return nil, nil
	}
	ids, err := d.Physical(ctx, r.Stack, APIType)
	if err != nil {
		return nil, err
	}
	var pairs []term.Pair
	for _, id := range ids {
		var api struct{ Name, ApiEndpoint string }
		if err := getAPI(ctx, t.Region, id, &api); err != nil {
			return nil, err
		}
		told := slices.ContainsFunc(r.Outputs, func(o deploy.Pair) bool { return o.Value == api.ApiEndpoint })
		if !told && api.ApiEndpoint != "" {
			pairs = append(pairs, term.Pair{Name: api.Name, Value: api.ApiEndpoint})
		}
	}
	return pairs, nil
}

// getAPI asks the region for an API, as the SDKs do: GET /v2/apis/{apiId}.
// https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/apis-apiid.html
func getAPI(ctx context.Context, region *config.Region, id string, api any) error {
	answer, err := embedded.Client(region).REST(ctx, control.Request{Service: "apigateway", Method: http.MethodGet, Path: "/v2/apis/" + url.PathEscape(id)})
	if err != nil {
		return fmt.Errorf("look at the API %s: %w", id, err)
	}
	return json.Unmarshal(answer.Body, api)
}
