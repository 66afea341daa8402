package callers

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

func (l *Callers) putEventInvoke(ctx context.Context, _ *wire.Call, in *putEventInvokeInput) (*eventInvokeOutput, error) {
	return l.setEventInvoke(ctx, in, true)
}

func (l *Callers) updateEventInvoke(ctx context.Context, _ *wire.Call, in *putEventInvokeInput) (*eventInvokeOutput, error) {
	return l.setEventInvoke(ctx, in, false)
}

// setEventInvoke writes the settings of asynchronous calls: all of them, or
// only those that are given.
func (l *Callers) setEventInvoke(ctx context.Context, in *putEventInvokeInput, replace bool) (*eventInvokeOutput, error) {
	name, qualifier, err := l.Resolve(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	qualifier = model.OrElse(qualifier, model.Latest)
	if err := l.checkEventInvoke(in); err != nil {
		return nil, err
	}
	var out *eventInvokeOutput
	err = l.Change(ctx, name, func(f *model.Function) error {
		if _, ok := f.Find(qualifier); !ok {
			return l.NoFunction(name, qualifier)
		}
		config := f.Events[qualifier]
		if replace {
			config = model.EventConfig{}
		}
		merge(&config, in)
		config.Modified = l.modified()
		if f.Events == nil {
			f.Events = map[string]model.EventConfig{}
		}
		f.Events[qualifier] = config
		out = l.describeEvents(name, qualifier, config)
		return nil
	})
	return out, err
}

// checkEventInvoke holds the settings to Lambda's limits. A destination must be
// a function of this region: queues, topics and buses are refused by name.
func (l *Callers) checkEventInvoke(in *putEventInvokeInput) error {
	if n := in.MaximumRetryAttempts; n != nil && (*n < 0 || *n > 2) {
		return model.Failed(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value '%d' at 'maximumRetryAttempts' failed to satisfy constraint: Member must have value less than or equal to 2", *n))
	}
	if n := in.MaximumEventAgeInSeconds; n != nil && (*n < 60 || *n > 21600) {
		return model.Failed(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value '%d' at 'maximumEventAgeInSeconds' failed to satisfy constraint: Member must have value between 60 and 21600", *n))
	}
	if in.DestinationConfig == nil {
		return nil
	}
	for _, d := range []*model.Destination{in.DestinationConfig.OnSuccess, in.DestinationConfig.OnFailure} {
		if d == nil || d.Destination == "" {
			continue
		}
		if _, _, ok := l.Parse(d.Destination); !ok {
			return model.Invalid("The destination " + d.Destination + " is not supported here: only functions of this region are")
		}
	}
	return nil
}

func merge(c *model.EventConfig, in *putEventInvokeInput) {
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

func (l *Callers) describeEvents(name, qualifier string, c model.EventConfig) *eventInvokeOutput {
	return &eventInvokeOutput{LastModified: c.Modified, FunctionArn: l.ARN(name, qualifier), MaximumRetryAttempts: c.Retries,
		MaximumEventAgeInSeconds: c.MaxAge, DestinationConfig: c.Written}
}

func (l *Callers) getEventInvoke(ctx context.Context, _ *wire.Call, in *model.Ref) (*eventInvokeOutput, error) {
	f, _, qualifier, err := l.Lookup(ctx, in)
	if err != nil {
		return nil, err
	}
	qualifier = model.OrElse(qualifier, model.Latest)
	c, ok := f.Events[qualifier]
	if !ok {
		return nil, model.NotFound("The function " + l.ARN(f.Name, qualifier) + " doesn't have an EventInvokeConfig")
	}
	return l.describeEvents(f.Name, qualifier, c), nil
}

func (l *Callers) deleteEventInvoke(ctx context.Context, _ *wire.Call, in *model.Ref) (*model.Empty, error) {
	name, qualifier, err := l.Resolve(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	qualifier = model.OrElse(qualifier, model.Latest)
	return &model.Empty{}, l.Change(ctx, name, func(f *model.Function) error {
		if _, ok := f.Events[qualifier]; !ok {
			return model.NotFound("The function " + l.ARN(name, qualifier) + " doesn't have an EventInvokeConfig")
		}
		delete(f.Events, qualifier)
		return nil
	})
}

func (l *Callers) listEventInvoke(ctx context.Context, _ *wire.Call, in *model.ListInput) (*listEventInvokeOutput, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	f, err := l.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	var all []eventInvokeOutput
	for _, qualifier := range slices.Sorted(maps.Keys(f.Events)) {
		all = append(all, *l.describeEvents(name, qualifier, f.Events[qualifier]))
	}
	out := &listEventInvokeOutput{}
	out.FunctionEventInvokeConfigs, out.NextMarker = model.Paginate(all, in.Page, func(c eventInvokeOutput) string { return c.FunctionArn })
	return out, nil
}
