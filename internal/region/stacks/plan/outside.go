package plan

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/cfn"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// ImportValue returns what an export gives.
func (l *Planner) ImportValue(ctx context.Context, name string) (any, error) {
	var exported records.Export
	err := l.config.DB.View(ctx, func(tx *store.Tx) error {
		found, err := tx.Get(records.KindExport, name, &exported)
		if err == nil && !found {
			return fmt.Errorf("No export named %s found.", name)
		}
		return err
	})
	return exported.Value, err
}

// parameterValue reads an SSM parameter with the caller's rights.
func (l *Planner) parameterValue(ctx context.Context, caller *wire.Caller, name string) (value string, ok bool, err error) {
	var out struct{ Parameter struct{ Value string } }
	err = l.Call(ctx, wire.Call{Caller: caller, Service: "ssm"}, "GetParameter", map[string]any{"Name": name}, &out)
	if wire.Code(err) == "ParameterNotFound" {
		return "", false, nil
	}
	return out.Parameter.Value, err == nil, err
}

// Dynamic answers a dynamic reference with the caller's rights.
func (l *Planner) Dynamic(ctx context.Context, caller *wire.Caller, d cfn.DynamicReference) (string, error) {
	if d.Service == "secretsmanager" {
		return l.secretValue(ctx, caller, d)
	}
	name := d.Name
	if d.Version > 0 {
		name += ":" + strconv.FormatInt(d.Version, 10)
	}
	var out struct{ Parameter struct{ Value, Type string } }
	err := l.Call(ctx, wire.Call{Caller: caller, Service: "ssm"}, "GetParameter", map[string]any{"Name": name, "WithDecryption": d.Service == "ssm-secure"}, &out)
	if err != nil {
		return "", fmt.Errorf("dynamic reference %s: %s", d.Text, Message(err))
	}
	if secure := out.Parameter.Type == "SecureString"; secure != (d.Service == "ssm-secure") {
		return "", fmt.Errorf("dynamic reference %s: the parameter is of type %s", d.Text, out.Parameter.Type)
	}
	return out.Parameter.Value, nil
}

func (l *Planner) secretValue(ctx context.Context, caller *wire.Caller, d cfn.DynamicReference) (string, error) {
	in := map[string]any{"SecretId": d.Name}
	if d.VersionStage != "" {
		in["VersionStage"] = d.VersionStage
	}
	if d.VersionID != "" {
		in["VersionId"] = d.VersionID
	}
	var out struct{ SecretString string }
	if err := l.Call(ctx, wire.Call{Caller: caller, Service: "secretsmanager"}, "GetSecretValue", in, &out); err != nil {
		return "", fmt.Errorf("dynamic reference %s: %s", d.Text, Message(err))
	}
	if d.JSONKey == "" {
		return out.SecretString, nil
	}
	var members map[string]any
	numbers := json.NewDecoder(strings.NewReader(out.SecretString))
	numbers.UseNumber() // as they are written, however long
	if err := numbers.Decode(&members); err != nil || numbers.More() {
		return "", fmt.Errorf("dynamic reference %s: the secret is no JSON object", d.Text)
	}
	text, ok := TextOf(members[d.JSONKey])
	if !ok {
		return "", fmt.Errorf("dynamic reference %s: the secret has no key %s", d.Text, d.JSONKey)
	}
	return text, nil
}

// Call calls an operation as CloudFormation does for a stack. Of call, Service is
// the name of the operation's service, and Caller and Token are the stack's.
func (l *Planner) Call(ctx context.Context, call wire.Call, operation string, in, out any) error {
	service, ok := l.config.Services[call.Service]
	if !ok {
		return Invalid("roost has no service %s", call.Service)
	}
	id, err := l.UUID()
	if err != nil {
		return err
	}
	call.Region, call.Account = l.config.Region, l.config.Account
	call.RequestID, call.UserAgent = id, "cloudformation.amazonaws.com"
	return service.Call(ctx, call, operation, in, out)
}
