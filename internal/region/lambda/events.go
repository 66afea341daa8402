package lambda

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

func (l *Lambda) putEventInvoke(ctx context.Context, _ *wire.Call, in *putEventInvokeInput) (*eventInvokeOutput, error) {
	return l.setEventInvoke(ctx, in, true)
}

func (l *Lambda) updateEventInvoke(ctx context.Context, _ *wire.Call, in *putEventInvokeInput) (*eventInvokeOutput, error) {
	return l.setEventInvoke(ctx, in, false)
}

// setEventInvoke writes the settings of asynchronous calls: all of them, or
// only those that are given.
func (l *Lambda) setEventInvoke(ctx context.Context, in *putEventInvokeInput, replace bool) (*eventInvokeOutput, error) {
	name, qualifier, err := l.resolve(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	qualifier = orElse(qualifier, latest)
	if err := l.checkEventInvoke(in); err != nil {
		return nil, err
	}
	var out *eventInvokeOutput
	err = l.change(ctx, name, func(f *function) error {
		if _, ok := f.find(qualifier); !ok {
			return l.noFunction(name, qualifier)
		}
		config := f.Events[qualifier]
		if replace {
			config = eventConfig{}
		}
		config.merge(in)
		config.Modified = l.modified()
		if f.Events == nil {
			f.Events = map[string]eventConfig{}
		}
		f.Events[qualifier] = config
		out = l.describeEvents(name, qualifier, config)
		return nil
	})
	return out, err
}

// checkEventInvoke holds the settings to Lambda's limits. A destination must be
// a function of this region: queues, topics and buses are refused by name.
func (l *Lambda) checkEventInvoke(in *putEventInvokeInput) error {
	if n := in.MaximumRetryAttempts; n != nil && (*n < 0 || *n > 2) {
		return failed(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value '%d' at 'maximumRetryAttempts' failed to satisfy constraint: Member must have value less than or equal to 2", *n))
	}
	if n := in.MaximumEventAgeInSeconds; n != nil && (*n < 60 || *n > 21600) {
		return failed(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value '%d' at 'maximumEventAgeInSeconds' failed to satisfy constraint: Member must have value between 60 and 21600", *n))
	}
	if in.DestinationConfig == nil {
		return nil
	}
	for _, d := range []*destination{in.DestinationConfig.OnSuccess, in.DestinationConfig.OnFailure} {
		if d == nil || d.Destination == "" {
			continue
		}
		if _, _, ok := l.parseARN(d.Destination); !ok {
			return invalid("The destination " + d.Destination + " is not supported here: only functions of this region are")
		}
	}
	return nil
}

func (c *eventConfig) merge(in *putEventInvokeInput) {
	if in.MaximumRetryAttempts != nil {
		c.Retries = in.MaximumRetryAttempts
	}
	if in.MaximumEventAgeInSeconds != nil {
		c.MaxAge = in.MaximumEventAgeInSeconds
	}
	if d := in.DestinationConfig; d != nil {
		if d.OnSuccess != nil {
			c.OnSuccess, c.Written.OnSuccess = d.OnSuccess.Destination, d.OnSuccess
		}
		if d.OnFailure != nil {
			c.OnFailure, c.Written.OnFailure = d.OnFailure.Destination, d.OnFailure
		}
	}
}

func (l *Lambda) describeEvents(name, qualifier string, c eventConfig) *eventInvokeOutput {
	return &eventInvokeOutput{LastModified: c.Modified, FunctionArn: l.arn(name, qualifier), MaximumRetryAttempts: c.Retries,
		MaximumEventAgeInSeconds: c.MaxAge, DestinationConfig: c.Written}
}

func (l *Lambda) getEventInvoke(ctx context.Context, _ *wire.Call, in *ref) (*eventInvokeOutput, error) {
	f, _, qualifier, err := l.lookup(ctx, in)
	if err != nil {
		return nil, err
	}
	qualifier = orElse(qualifier, latest)
	c, ok := f.Events[qualifier]
	if !ok {
		return nil, notFound("The function " + l.arn(f.Name, qualifier) + " doesn't have an EventInvokeConfig")
	}
	return l.describeEvents(f.Name, qualifier, c), nil
}

func (l *Lambda) deleteEventInvoke(ctx context.Context, _ *wire.Call, in *ref) (*empty, error) {
	name, qualifier, err := l.resolve(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	qualifier = orElse(qualifier, latest)
	return &empty{}, l.change(ctx, name, func(f *function) error {
		if _, ok := f.Events[qualifier]; !ok {
			return notFound("The function " + l.arn(name, qualifier) + " doesn't have an EventInvokeConfig")
		}
		delete(f.Events, qualifier)
		return nil
	})
}

func (l *Lambda) listEventInvoke(ctx context.Context, _ *wire.Call, in *listByFunctionInput) (*listEventInvokeOutput, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	f, err := l.read(ctx, name)
	if err != nil {
		return nil, err
	}
	var all []eventInvokeOutput
	for _, qualifier := range slices.Sorted(maps.Keys(f.Events)) {
		all = append(all, *l.describeEvents(name, qualifier, f.Events[qualifier]))
	}
	out := &listEventInvokeOutput{}
	out.FunctionEventInvokeConfigs, out.NextMarker = paginate(all, in.page, func(c eventInvokeOutput) string { return c.FunctionArn })
	return out, nil
}

// eventSettings are the settings that count for a call with a qualifier.
func (l *Lambda) eventSettings(functionARN string) (config eventConfig, reserved *int) {
	name, qualifier, _ := l.parseARN(functionARN)
	e := l.snapshot.Load().functions[name]
	if e == nil {
		return eventConfig{}, nil
	}
	return e.function.Events[orElse(qualifier, latest)], e.function.Reserved
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
		return arn + ":" + latest
	}
	return arn
}
