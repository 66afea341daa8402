// Package callers keeps what the callers of a function meet: its resource
// policy, its concurrency, the settings of asynchronous calls and its URLs.
//
//	c := &callers.Callers{Documents: docs}
//	operations := c.Operations()
package callers

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Callers is the callers' part of the service.
type Callers struct {
	*model.Documents
	URLs URLs
}

// policyTarget is the part of a function that a policy belongs to. Policies of
// $LATEST are those of the function.
func (l *Callers) policyTarget(given, qualifier string) (name, key, arn string, err error) {
	name, qualifier, err = l.Resolve(given, qualifier)
	if qualifier == model.Latest {
		err = model.Invalid("We currently do not support adding policies for $LATEST.")
	}
	return name, qualifier, l.ARN(name, qualifier), err
}

var (
	accountPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\d{12}$`) })
	servicePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$`) })
)

// principal is how a policy names whom AddPermission means.
func principal(given string) (any, error) {
	switch {
	case given == "*":
		return "*", nil
	case accountPattern().MatchString(given):
		return map[string]string{"AWS": "arn:aws:iam::" + given + ":root"}, nil
	case strings.HasPrefix(given, "arn:aws"):
		return map[string]string{"AWS": given}, nil
	case servicePattern().MatchString(given):
		return map[string]string{"Service": given}, nil
	}
	return nil, model.Invalid("The provided principal was invalid. Please check the principal and try again.")
}

func (l *Callers) addPermission(ctx context.Context, _ *wire.Call, in *addPermissionInput) (*addPermissionOutput, error) {
	name, key, arn, err := l.policyTarget(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s, err := makeStatement(in, arn)
	if err != nil {
		return nil, err
	}
	err = l.Change(ctx, name, func(f *model.Function) error {
		if _, ok := f.Find(key); !ok {
			return l.NoFunction(name, key)
		}
		p := f.Policies[key]
		if in.RevisionID != "" && in.RevisionID != p.Revision {
			return model.Stale()
		}
		for _, other := range p.Statements {
			if other.Sid == s.Sid {
				return model.Conflict("The statement id (" + s.Sid + ") provided already exists. Please provide a new statement id, or remove the existing statement.")
			}
		}
		p.Statements, p.Revision = append(p.Statements, s), model.NewID()
		text, err := json.Marshal(p.Document())
		if err != nil {
			return err
		}
		if len(text) > maxPolicy {
			return model.Failed(400, "PolicyLengthExceededException", fmt.Sprintf("The final policy size (%d) is bigger than the limit (%d).", len(text), maxPolicy))
		}
		if _, err := iam.ParseResource(text); err != nil { // it would let nobody in
			return model.Invalid("the permission cannot be part of a policy: " + err.Error())
		}
		if f.Policies == nil {
			f.Policies = map[string]model.Policy{}
		}
		f.Policies[key] = p
		return nil
	})
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(s)
	return &addPermissionOutput{Statement: string(text)}, err
}

// maxPolicy is Lambda's quota for a resource policy, in bytes.
const maxPolicy = 20480

// makeStatement writes a permission as the statement that Lambda makes of it.
func makeStatement(in *addPermissionInput, arn string) (model.Statement, error) {
	who, err := principal(in.Principal)
	if err != nil {
		return model.Statement{}, err
	}
	if in.EventSourceToken != "" {
		return model.Statement{}, model.Invalid("EventSourceToken (Alexa) is not supported here")
	}
	if !strings.HasPrefix(in.Action, "lambda:") && in.Action != "*" {
		return model.Statement{}, model.Failed(400, "ValidationException", "1 validation error detected: Value '"+in.Action+"' at 'action' failed to satisfy constraint: Member must satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])")
	}
	s := model.Statement{Sid: in.StatementID, Effect: "Allow", Principal: who, Action: in.Action, Resource: arn}
	add := func(operator, key, value string) {
		if value == "" {
			return
		}
		if s.Condition == nil {
			s.Condition = map[string]map[string]string{}
		}
		if s.Condition[operator] == nil {
			s.Condition[operator] = map[string]string{}
		}
		s.Condition[operator][key] = value
	}
	add("ArnLike", "AWS:SourceArn", in.SourceArn)
	add("StringEquals", "AWS:SourceAccount", in.SourceAccount)
	add("StringEquals", "aws:PrincipalOrgID", in.PrincipalOrgID)
	add("StringEquals", "lambda:FunctionUrlAuthType", in.FunctionURLAuthType)
	if in.InvokedViaFunctionURL != nil {
		add("Bool", "lambda:InvokedViaFunctionUrl", map[bool]string{true: "true", false: "false"}[*in.InvokedViaFunctionURL])
	}
	return s, nil
}

func (l *Callers) removePermission(ctx context.Context, _ *wire.Call, in *removePermissionInput) (*model.Empty, error) {
	name, key, _, err := l.policyTarget(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return &model.Empty{}, l.Change(ctx, name, func(f *model.Function) error {
		p, ok := f.Policies[key]
		if !ok {
			return model.NotFound("No policy is associated with the given resource.")
		}
		if in.RevisionID != "" && in.RevisionID != p.Revision {
			return model.Stale()
		}
		for i := range p.Statements {
			if p.Statements[i].Sid != in.StatementID {
				continue
			}
			p.Statements, p.Revision = append(p.Statements[:i:i], p.Statements[i+1:]...), model.NewID()
			f.Policies[key] = p
			if len(p.Statements) == 0 {
				delete(f.Policies, key)
			}
			return nil
		}
		return model.NotFound("Statement " + in.StatementID + " is not found in resource policy.")
	})
}

func (l *Callers) getPolicy(ctx context.Context, _ *wire.Call, in *model.Ref) (*getPolicyOutput, error) {
	name, qualifier, err := l.Resolve(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	f, err := l.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	p, ok := f.Policies[qualifier]
	if !ok {
		return nil, model.NotFound("The resource you requested does not exist.")
	}
	text, err := json.Marshal(p.Document())
	return &getPolicyOutput{Policy: string(text), RevisionID: p.Revision}, err
}
