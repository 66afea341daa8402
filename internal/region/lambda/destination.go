package lambda

import (
	"strings"

	"github.com/seed-615d3599/roost/internal/region/lambda/model"
)

// eventSettings are the settings that count for a call with a qualifier.
func (l *Lambda) eventSettings(functionARN string) (config model.EventConfig, reserved *int) {
	name, qualifier, _ := l.Parse(functionARN)
	e := l.snapshot.Load().functions[name]
	if e == nil {
		return model.EventConfig{}, nil
	}
	return e.function.Events[model.OrElse(qualifier, model.Latest)], e.function.Reserved
}

// destinationRecord is what a destination receives.
type destinationRecord struct {
	Version         string              `json:"version"`
	Timestamp       string              `json:"timestamp"`
	RequestContext  destinationRequest  `json:"requestContext"`
	RequestPayload  any                 `json:"requestPayload"`
	ResponseContext *destinationContext `json:"responseContext,omitempty"`
	ResponsePayload any                 `json:"responsePayload,omitempty"`
}

type destinationRequest struct {
	RequestID   string `json:"requestId"`
	FunctionARN string `json:"functionArn"`
	Condition   string `json:"condition"`
	InvokeCount int    `json:"approximateInvokeCount"`
}

type destinationContext struct {
	StatusCode      int    `json:"statusCode"`
	ExecutedVersion string `json:"executedVersion"`
	FunctionError   string `json:"functionError,omitempty"`
}

// qualified adds $LATEST to a function's ARN without a qualifier.
func qualified(arn string) string {
	if strings.Count(arn, ":") == 6 {
		return arn + ":" + model.Latest
	}
	return arn
}
