// Package formats lets one function take both payload formats of an HTTP API.
package formats

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"
)

// V1 is an adapter's method for events of format 1.0.
type V1 func(context.Context, events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error)

// V2 is an adapter's method for events of format 2.0.
type V2 func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)

// Start serves events with the adapter for their format.
func Start(v1 V1, v2 V2) {
	lambda.Start(func(ctx context.Context, event json.RawMessage) (any, error) {
		var format struct{ Version string }
		if err := json.Unmarshal(event, &format); err != nil {
			return nil, err
		}
		if format.Version == "1.0" {
			return serve(ctx, event, v1)
		}
		return serve(ctx, event, v2)
	})
}

func serve[In, Out any](ctx context.Context, event json.RawMessage, adapter func(context.Context, In) (Out, error)) (any, error) {
	var in In
	if err := json.Unmarshal(event, &in); err != nil {
		return nil, err
	}
	return adapter(ctx, in)
}

// Event is what a function says about the event that it got.
type Event struct {
	Format    string `json:"format"`
	Account   string `json:"account"`
	API       string `json:"api"`
	Stage     string `json:"stage"`
	Route     string `json:"route"`
	RequestID string `json:"requestId"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	Protocol  string `json:"protocol"`
	IP        string `json:"ip"`
	UserAgent string `json:"userAgent"`
	Time      int64  `json:"time"` // milliseconds since 1970
}

// Of tells what the adapters keep of the event.
func Of(r *http.Request) Event {
	if c, ok := core.GetAPIGatewayV2ContextFromContext(r.Context()); ok {
		return Event{"2.0", c.AccountID, c.APIID, c.Stage, c.RouteKey, c.RequestID, c.HTTP.Method, c.HTTP.Path,
			c.HTTP.Protocol, c.HTTP.SourceIP, c.HTTP.UserAgent, c.TimeEpoch}
	}
	c, _ := core.GetAPIGatewayContextFromContext(r.Context())
	return Event{"1.0", c.AccountID, c.APIID, c.Stage, c.ResourceID, c.RequestID, c.HTTPMethod, c.Path,
		c.Protocol, c.Identity.SourceIP, c.Identity.UserAgent, c.RequestTimeEpoch}
}
