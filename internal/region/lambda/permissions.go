package lambda

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// document is a resource policy as GetPolicy shows it.
type document struct {
	Version   string
	ID        string `json:"Id"`
	Statement []statement
}

func policyDocument(p policy) document {
	return document{Version: "2012-10-17", ID: "default", Statement: p.Statements}
}

// policyTarget is the part of a function that a policy belongs to. Policies of
// $LATEST are those of the function.
func (l *Lambda) policyTarget(given, qualifier string) (name, key, arn string, err error) {
	name, qualifier, err = l.resolve(given, qualifier)
	if qualifier == latest {
		err = invalid("We currently do not support adding policies for $LATEST.")
	}
	return name, qualifier, l.arn(name, qualifier), err
}

var (
	accountPattern = regexp.MustCompile(`^\d{12}$`)
	servicePattern = regexp.MustCompile(`^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$`)
)

// principal is how a policy names whom AddPermission means.
func principal(given string) (any, error) {
	switch {
	case given == "*":
		return "*", nil
	case accountPattern.MatchString(given):
		return map[string]string{"AWS": "arn:aws:iam::" + given + ":root"}, nil
	case strings.HasPrefix(given, "arn:aws"):
		return map[string]string{"AWS": given}, nil
	case servicePattern.MatchString(given):
		return map[string]string{"Service": given}, nil
	}
	return nil, invalid("The provided principal was invalid. Please check the principal and try again.")
}

func (l *Lambda) addPermission(ctx context.Context, _ *wire.Call, in *addPermissionInput) (*addPermissionOutput, error) {
	name, key, arn, err := l.policyTarget(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	s, err := makeStatement(in, arn)
	if err != nil {
		return nil, err
	}
	err = l.change(ctx, name, func(f *function) error {
		if _, ok := f.find(key); !ok {
			return l.noFunction(name, key)
		}
		p := f.Policies[key]
		if in.RevisionID != "" && in.RevisionID != p.Revision {
			return stale()
		}
		for _, other := range p.Statements {
			if other.Sid == s.Sid {
				return conflict("The statement id (" + s.Sid + ") provided already exists. Please provide a new statement id, or remove the existing statement.")
			}
		}
		p.Statements, p.Revision = append(p.Statements, s), newID()
		if text, err := json.Marshal(policyDocument(p)); err != nil || len(text) > 20480 {
			return failed(400, "PolicyLengthExceededException", "The final policy size ("+sizeOf(text)+") is bigger than the limit (20480).")
		}
		if f.Policies == nil {
			f.Policies = map[string]policy{}
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

// makeStatement writes a permission as the statement that Lambda makes of it.
func makeStatement(in *addPermissionInput, arn string) (statement, error) {
	who, err := principal(in.Principal)
	if err != nil {
		return statement{}, err
	}
	if in.EventSourceToken != "" {
		return statement{}, invalid("EventSourceToken (Alexa) is not supported here")
	}
	if !strings.HasPrefix(in.Action, "lambda:") && in.Action != "*" {
		return statement{}, failed(400, "ValidationException", "1 validation error detected: Value '"+in.Action+"' at 'action' failed to satisfy constraint: Member must satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])")
	}
	s := statement{Sid: in.StatementID, Effect: "Allow", Principal: who, Action: in.Action, Resource: arn}
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

func (l *Lambda) removePermission(ctx context.Context, _ *wire.Call, in *removePermissionInput) (*empty, error) {
	name, key, _, err := l.policyTarget(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return &empty{}, l.change(ctx, name, func(f *function) error {
		p, ok := f.Policies[key]
		if !ok {
			return notFound("No policy is associated with the given resource.")
		}
		if in.RevisionID != "" && in.RevisionID != p.Revision {
			return stale()
		}
		for i := range p.Statements {
			if p.Statements[i].Sid != in.StatementID {
				continue
			}
			p.Statements, p.Revision = append(p.Statements[:i:i], p.Statements[i+1:]...), newID()
			f.Policies[key] = p
			if len(p.Statements) == 0 {
				delete(f.Policies, key)
			}
			return nil
		}
		return notFound("Statement " + in.StatementID + " is not found in resource policy.")
	})
}

func (l *Lambda) getPolicy(ctx context.Context, _ *wire.Call, in *ref) (*getPolicyOutput, error) {
	name, qualifier, err := l.resolve(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	f, err := l.read(ctx, name)
	if err != nil {
		return nil, err
	}
	p, ok := f.Policies[qualifier]
	if !ok {
		return nil, notFound("The resource you requested does not exist.")
	}
	text, err := json.Marshal(policyDocument(p))
	return &getPolicyOutput{Policy: string(text), RevisionID: p.Revision}, err
}

// policyText is the resource policy that has a say in a call of the function,
// or empty.
func (l *Lambda) policyText(name, qualifier string) string {
	e := l.snapshot.Load().functions[name]
	if e == nil {
		return ""
	}
	p, ok := e.function.Policies[qualifier]
	if !ok {
		return ""
	}
	text, err := json.Marshal(policyDocument(p))
	if err != nil {
		return ""
	}
	return string(text)
}
