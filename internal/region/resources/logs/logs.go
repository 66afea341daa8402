// Package logs holds CloudFormation's resource types of CloudWatch Logs.
package logs

import (
	"context"

	cf "github.com/seed-615d3599/roost/internal/region/resources"
)

// Types returns the types of AWS::Logs.
func Types() []*cf.Type {
	const leaveOut = "keep it out of this stage by a condition"
	return []*cf.Type{
		group(), stream(), metricFilter(), resourcePolicy(), queryDefinition(),
		cf.RefusedType("AWS::Logs::SubscriptionFilter", "log events are not forwarded here; "+leaveOut),
		cf.RefusedType("AWS::Logs::AccountPolicy", "it would mask, forward or index the events of every group, which is not done here; "+leaveOut),
		cf.RefusedType("AWS::Logs::Transformer", "log events are not transformed here; "+leaveOut),
	}
}

func groupProperties() cf.Properties {
	return cf.Properties{
		"BearerTokenAuthenticationEnabled": {Kind: cf.Boolean, Enum: []string{"false"}, Why: "there is no access by bearer tokens here"},
		"DataProtectionPolicy":             cf.Refuse("events are not masked here; leave it out, for example by a condition"),
		"DeletionProtectionEnabled":        {Kind: cf.Boolean},
		"FieldIndexPolicies":               cf.Record("events are searched without an index"),
		"KmsKeyId":                         cf.Refuse("there is no KMS here: events are kept in the region's state file, which only its owner reads; leave it out, for example by a condition"),
		"LogGroupClass":                    {Kind: cf.String, Replace: true, Enum: []string{"STANDARD", "INFREQUENT_ACCESS", "DELIVERY"}},
		"LogGroupName":                     {Kind: cf.String, Replace: true},
		"ResourcePolicyDocument":           cf.Refuse("policies of log groups are not asked here; use IAM policies"),
		"RetentionInDays":                  {Kind: cf.Integer},
		"Tags":                             cf.KeyValues(),
	}
}

func group() *cf.Type {
	return &cf.Type{
		Name: "AWS::Logs::LogGroup", Properties: groupProperties(), Attributes: []string{"Arn"},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			name := e.OrName(cf.Text(want, "LogGroupName"), 512)
			in := cf.Pick(want, "LogGroupClass")
			in["Tags"] = e.WithStackTags(want["Tags"])
			if err := call(ctx, e, "CreateLogGroup", name, in); err != nil {
				return cf.State{}, err
			}
			arn := "arn:aws:logs:" + e.Region + ":" + e.Account + ":log-group:" + name + ":*"
			return cf.State{ID: name, Attributes: map[string]any{"Arn": arn}}, retain(ctx, e, name, nil, want)
		},
		Update: func(ctx context.Context, e *cf.Env, have cf.State, want map[string]any) (cf.State, error) {
			if err := retain(ctx, e, have.ID, have.Properties, want); err != nil {
				return have, err
			}
			return have, retag(ctx, e, have.ID, have.Properties, want)
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			if cf.Flag(have.Properties, "DeletionProtectionEnabled") {
				return cf.Protected("log group", have.ID, "DeletionProtectionEnabled")
			}
			return cf.Gone(call(ctx, e, "DeleteLogGroup", have.ID, nil))
		},
	}
}

func call(ctx context.Context, e *cf.Env, operation, group string, members map[string]any) error {
	in := map[string]any{"LogGroupName": group}
	for member, value := range members {
		in[member] = value
	}
	return e.Call(ctx, "logs", operation, in, nil)
}

// retain sets, changes or takes away how long events are kept.
func retain(ctx context.Context, e *cf.Env, name string, have, want map[string]any) error {
	switch {
	case cf.Same(have, want, "RetentionInDays"):
		return nil
	case cf.Has(want, "RetentionInDays"):
		return call(ctx, e, "PutRetentionPolicy", name, cf.Pick(want, "RetentionInDays"))
	}
	return call(ctx, e, "DeleteRetentionPolicy", name, nil)
}

func retag(ctx context.Context, e *cf.Env, name string, have, want map[string]any) error {
	set, unset := cf.TagChanges(have["Tags"], want["Tags"])
	if len(set) > 0 {
		if err := call(ctx, e, "TagLogGroup", name, map[string]any{"Tags": set}); err != nil {
			return err
		}
	}
	if len(unset) > 0 {
		return call(ctx, e, "UntagLogGroup", name, map[string]any{"Tags": unset})
	}
	return nil
}

func stream() *cf.Type {
	return &cf.Type{
		Name: "AWS::Logs::LogStream",
		Properties: cf.Properties{
			"LogGroupName":  {Kind: cf.String, Required: true, Replace: true},
			"LogStreamName": {Kind: cf.String, Replace: true},
		},
		Create: func(ctx context.Context, e *cf.Env, want map[string]any) (cf.State, error) {
			name := e.OrName(cf.Text(want, "LogStreamName"), 512)
			return cf.State{ID: name}, call(ctx, e, "CreateLogStream", cf.Text(want, "LogGroupName"), map[string]any{"LogStreamName": name})
		},
		Delete: func(ctx context.Context, e *cf.Env, have cf.State) error {
			in := map[string]any{"LogStreamName": have.ID}
			return cf.Gone(call(ctx, e, "DeleteLogStream", cf.Text(have.Properties, "LogGroupName"), in))
		},
	}
}

func metricFilter() *cf.Type {
	const why = "no metrics are collected"
	table := cf.Records(why, "ApplyOnTransformedLogs", "EmitSystemFieldDimensions", "FieldSelectionCriteria").With(cf.Properties{
		"FilterName":            cf.Record(why).Replacing(),
		"FilterPattern":         cf.Record(why).Must(),
		"LogGroupName":          cf.Record(why).Must().Replacing(),
		"MetricTransformations": cf.Record(why).Must(),
	})
	return cf.RecordType("AWS::Logs::MetricFilter", table, func(e *cf.Env, want map[string]any) cf.State {
		return cf.State{ID: e.OrName(cf.Text(want, "FilterName"), 512)}
	})
}

// resourcePolicy would let AWS's services write to log groups. Those of the
// region need no such permission.
func resourcePolicy() *cf.Type {
	const why = "the services of the embedded region write to log groups without it, and no other may"
	table := cf.Properties{"PolicyDocument": cf.Record(why).Must(), "PolicyName": cf.Record(why).Must().Replacing()}
	return cf.RecordType("AWS::Logs::ResourcePolicy", table, func(_ *cf.Env, want map[string]any) cf.State {
		return cf.State{ID: cf.Text(want, "PolicyName")}
	})
}

func queryDefinition() *cf.Type {
	const why = "Logs Insights is not here"
	table := cf.Records(why, "LogGroupNames", "Parameters", "QueryLanguage").With(cf.Properties{
		"Name": cf.Record(why).Must(), "QueryString": cf.Record(why).Must(),
	})
	return cf.RecordType("AWS::Logs::QueryDefinition", table, func(e *cf.Env, _ map[string]any) cf.State {
		id := e.UUID()
		return cf.State{ID: id, Attributes: map[string]any{"QueryDefinitionId": id}}
	}, "QueryDefinitionId")
}
