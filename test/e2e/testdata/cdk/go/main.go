// Serves the private route of the CDK app.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, event events.APIGatewayV2HTTPRequest) (map[string]any, error) {
		return map[string]any{"statusCode": 200, "body": "Go serves " + event.RawPath}, nil
	})
}
