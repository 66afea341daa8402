package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/deploy"
	"github.com/seed-615d3599/roost/internal/term"
	"github.com/seed-615d3599/roost/sigv4"
)

const apiType = "AWS::ApiGatewayV2::Api"

// localURLs returns where the embedded region serves the APIs of a stack, for
// those whose URL is in none of its outputs: an output that a template joins
// from the API's id and AWS::URLSuffix stays AWS's own.
func localURLs(ctx context.Context, t *target, d *deploy.Deployer, r deploy.Result) ([]term.Pair, error) {
	if t.region == nil || r.Err != nil {
		return nil, nil
	}
	ids, err := d.Physical(ctx, r.Stack, apiType)
	if err != nil {
		return nil, err
	}
	var pairs []term.Pair
	for _, id := range ids {
		var api struct{ Name, ApiEndpoint string }
		if err := getAPI(ctx, t.region, id, &api); err != nil {
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
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, region.Endpoint+"/v2/apis/"+url.PathEscape(id), nil)
	if err != nil {
		return err
	}
	signer := sigv4.Signer{Service: "apigateway", Region: region.Region, Credentials: sigv4.Credentials{
		AccessKeyID: region.AccessKeyID, SecretAccessKey: region.SecretAccessKey}}
	if err := signer.Sign(r, ""); err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("look at the API %s: %s", id, resp.Status)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(api)
}
