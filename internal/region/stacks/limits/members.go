package limits

import "github.com/seed-615d3599/roost/internal/region/stacks/records"

// RollbackConfiguration can only be empty here.
type RollbackConfiguration struct {
	RollbackTriggers        []struct{ Arn, Type string } `json:",omitempty"`
	MonitoringTimeInMinutes int                          `json:",omitempty"`
}

// Refuse refuses what it asks for.
func (r RollbackConfiguration) Refuse() error {
	switch {
	case len(r.RollbackTriggers) > 0:
		return Unsupported("RollbackTriggers", "there are no alarms here")
	case r.MonitoringTimeInMinutes != 0:
		return Unsupported("MonitoringTimeInMinutes", "there are no alarms here")
	}
	return nil
}

// Deployment refuses what a deployment's configuration can ask for and nothing
// here does.
func Deployment(d *records.DeploymentConfig) error {
	if d != nil && d.Mode != "" && d.Mode != "STANDARD" {
		return Unsupported("DeploymentConfig with Mode "+d.Mode, "use STANDARD; nothing takes long to settle here")
	}
	return nil
}

// Policies are the stack policies of a request, which are refused.
type Policies struct {
	StackPolicyBody             string
	StackPolicyURL              string
	StackPolicyDuringUpdateBody string
	StackPolicyDuringUpdateURL  string
}

// Refuse refuses those that are given.
func (p Policies) Refuse() error {
	for name, given := range map[string]string{
		"StackPolicyBody": p.StackPolicyBody, "StackPolicyURL": p.StackPolicyURL,
		"StackPolicyDuringUpdateBody": p.StackPolicyDuringUpdateBody, "StackPolicyDuringUpdateURL": p.StackPolicyDuringUpdateURL,
	} {
		if given != "" {
			return Unsupported(name, "stack policies are not enforced; use DeletionPolicy, or termination protection")
		}
	}
	return nil
}
