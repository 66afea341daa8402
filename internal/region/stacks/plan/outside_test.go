package plan_test

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/stacks/plan"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

type parameterIn struct {
	Name           string
	WithDecryption bool
}

type parameterOut struct {
	Parameter struct{ Value, Type string }
}

type secretIn struct {
	SecretID     string `json:"SecretId"`
	VersionStage string
	VersionID    string `json:"VersionId"`
}

type secretOut struct{ SecretString string }

// keepers are a Parameter Store and a Secrets Manager whose values tell by what
// they were asked for.
func keepers() map[string]*wire.Service {
	parameter := func(_ context.Context, c *wire.Call, in *parameterIn) (*parameterOut, error) {
		out := &parameterOut{}
		out.Parameter.Value, out.Parameter.Type = in.Name+" for "+c.Caller.ARN, "String"
		if strings.HasPrefix(in.Name, "/secure") {
			out.Parameter.Type = "SecureString"
		}
		return out, nil
	}
	secret := func(_ context.Context, _ *wire.Call, in *secretIn) (*secretOut, error) {
		switch in.SecretID {
		case "none":
			return nil, wire.Errorf(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
		case "text":
			return &secretOut{"text " + in.VersionStage + in.VersionID}, nil
		case "two":
			return &secretOut{`{"a": 1} {"a": 2}`}, nil
		}
		return &secretOut{`{"name": "n", "number": 12345678901234567890, "price": 1.10, "on": true, "list": []}`}, nil
	}
	allow := func(context.Context, *wire.Call, []wire.Target) error { return nil }
	return map[string]*wire.Service{
		"ssm":            {Name: "ssm", Protocol: wire.JSON, Authorize: allow, Operations: []wire.Operation{wire.Op("GetParameter", parameter)}},
		"secretsmanager": {Name: "secretsmanager", Protocol: wire.JSON, Authorize: allow, Operations: []wire.Operation{wire.Op("GetSecretValue", secret)}},
	}
}

func TestDynamicReferences(t *testing.T) {
	l := plan.New(plan.Config{Account: "123456789012", Region: "us-east-1", Own: resources.New(), Services: keepers(), Rand: rand.Reader})
	caller := &wire.Caller{ARN: "me"}
	for _, c := range []struct {
		d         cfn.DynamicReference
		want, err string
	}{
		{cfn.DynamicReference{Service: "ssm", Name: "/a"}, "/a for me", ""},
		{cfn.DynamicReference{Service: "ssm", Name: "/a", Version: 3}, "/a:3 for me", ""},
		{cfn.DynamicReference{Service: "ssm", Name: "/secure"}, "", "the parameter is of type SecureString"},
		{cfn.DynamicReference{Service: "ssm-secure", Name: "/secure"}, "/secure for me", ""},
		{cfn.DynamicReference{Service: "ssm-secure", Name: "/a"}, "", "the parameter is of type String"},
		{cfn.DynamicReference{Service: "secretsmanager", Name: "text", VersionStage: "AWSPREVIOUS"}, "text AWSPREVIOUS", ""},
		{cfn.DynamicReference{Service: "secretsmanager", Name: "text", VersionID: "v1"}, "text v1", ""},
		{cfn.DynamicReference{Service: "secretsmanager", Name: "text", JSONKey: "a"}, "", "the secret is no JSON object"},
		{cfn.DynamicReference{Service: "secretsmanager", Name: "two", JSONKey: "a"}, "", "the secret is no JSON object"},
		{cfn.DynamicReference{Service: "secretsmanager", Name: "object", JSONKey: "name"}, "n", ""},
		{cfn.DynamicReference{Service: "secretsmanager", Name: "object", JSONKey: "number"}, "12345678901234567890", ""},
		{cfn.DynamicReference{Service: "secretsmanager", Name: "object", JSONKey: "price"}, "1.10", ""},
		{cfn.DynamicReference{Service: "secretsmanager", Name: "object", JSONKey: "on"}, "true", ""},
		{cfn.DynamicReference{Service: "secretsmanager", Name: "object", JSONKey: "list"}, "", "the secret has no key list"},
		{cfn.DynamicReference{Service: "secretsmanager", Name: "none"}, "", "Secrets Manager can't find the specified secret."},
	} {
		c.d.Text = "{{resolve:…}}"
		got, err := l.Dynamic(t.Context(), caller, c.d)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && err.Error() != "dynamic reference {{resolve:…}}: "+c.err {
			t.Errorf("%+v: %q, %v", c.d, got, err)
		}
	}
	if err := l.Call(t.Context(), wire.Call{Caller: caller, Service: "sqs"}, "SendMessage", nil, nil); wire.Code(err) != "ValidationError" {
		t.Errorf("a service that is not there: %v", err)
	}
}
