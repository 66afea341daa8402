package answers

import (
	"context"
	"errors"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/resources"
)

// customResource is AWS::CloudFormation::CustomResource and every Custom::*
// type ("Custom resources"), answered by a function.
func (a *Answers) customResource() *resources.Type {
	return &resources.Type{
		Name: resources.CustomResource,
		Slow: true,
		Open: true,
		Properties: resources.Properties{
			"ServiceToken":   {Kind: resources.String, Required: true},
			"ServiceTimeout": {Kind: resources.Integer},
		},
		Attributes: []string{"*"},
		Create:     a.createCustom,
		Update:     a.updateCustom,
		Delete: func(ctx context.Context, e *resources.Env, have resources.State) error {
			_, err := a.request(ctx, e, request{RequestType: "Delete", PhysicalResourceID: have.ID, properties: have.Properties})
			return err
		},
	}
}

var errPhysicalID = errors.New("Invalid PhysicalResourceId")

// createCustom returns a physical id even where the function failed or was
// not waited for: CloudFormation then sends a Delete for it.
func (a *Answers) createCustom(ctx context.Context, e *resources.Env, want map[string]any) (resources.State, error) {
	if err := acceptable(want); err != nil {
		return resources.State{}, err
	}
	r, err := a.request(ctx, e, request{RequestType: "Create", properties: want})
	if never := (*unasked)(nil); errors.As(err, &never) {
		return resources.State{}, err
	}
	state := r.state(e.Name(255))
	if err == nil && r.PhysicalResourceID == "" {
		err = errPhysicalID
	}
	return state, err
}

func (a *Answers) updateCustom(ctx context.Context, e *resources.Env, have resources.State, want map[string]any) (resources.State, error) {
	if err := acceptable(want); err != nil {
		return have, err
	}
	if resources.Text(have.Properties, "ServiceToken") != resources.Text(want, "ServiceToken") {
		return have, errors.New("Modifying service token is not allowed.")
	}
	r, err := a.request(ctx, e, request{RequestType: "Update", PhysicalResourceID: have.ID, properties: want, old: have.Properties})
	switch {
	case err != nil:
		return have, err
	case r.PhysicalResourceID == "":
		return have, errPhysicalID
	}
	return r.state(have.ID), nil
}

// maxTimeout is the longest that a custom resource is waited for, and how long
// if it does not say, in seconds ("ServiceTimeout").
const maxTimeout = 3600

// acceptable refuses the properties that CloudFormation itself reads and that
// cannot be.
func acceptable(want map[string]any) error {
	token := resources.Text(want, "ServiceToken")
	switch {
	case strings.HasPrefix(token, "arn:aws:sns:"):
		return failed("roost does not support custom resources behind SNS topics (%s): give the ARN of a function as ServiceToken", token)
	case !strings.HasPrefix(token, "arn:aws:lambda:"):
		return failed("Invalid service token: %s is not the ARN of a function", token)
	}
	if seconds := resources.Int(want, "ServiceTimeout", maxTimeout); seconds < 1 || seconds > maxTimeout {
		return failed("ServiceTimeout must be between 1 and %d seconds", maxTimeout)
	}
	return nil
}
