// Command guest is the trivial function that is measured: it returns its event, or
// exits where the event says so.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, event struct {
		N     int  `json:"n"`
		Crash bool `json:"crash,omitempty"`
	}) (any, error) {
		if event.Crash {
			os.Exit(1)
		}
		return event, nil
	})
}
