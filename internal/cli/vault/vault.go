// Package vault keeps the values of an app's secrets in its stage's region, as
// parameters of AWS Systems Manager that are encrypted, so that who deploys the
// stage needs no .env.
//
//	v := vault.Vault{Client: client, Path: vault.Path(app)}
//	err := v.Set(ctx, "TWITTER_CONSUMER_KEY", value)
//	values, err := v.All(ctx)
package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/control"
	"github.com/seed-615d3599/roost/internal/term"
)

// Vault is where a stage's secrets are kept: SecureString parameters of SSM below
// one path.
type Vault struct {
	Client control.Client // of SSM
	Path   string         // with a slash at its end
}

// Path is where the parameters of a stage's secrets lie.
func Path(app *config.App) string { return "/roost/" + app.Name + "/" + app.Stage + "/" }

func (v *Vault) call(ctx context.Context, operation string, in, out any) error {
	return v.Client.JSON(ctx, control.Operation{Service: "ssm", Target: "AmazonSSM." + operation}, in, out)
}

// Set keeps a value, in place of an earlier one.
func (v *Vault) Set(ctx context.Context, name, value string) error {
	var out struct{ Version int }
	err := v.call(ctx, "PutParameter", map[string]any{"Name": v.Path + name, "Value": value, "Type": "SecureString", "Overwrite": true}, &out)
	if err != nil {
		return fmt.Errorf("keep the secret %s: %w", name, err)
	}
	return nil
}

// All returns the values by their names.
func (v *Vault) All(ctx context.Context) (map[string]string, error) {
	values := map[string]string{}
	in := map[string]any{"Path": v.Path, "WithDecryption": true}
	for {
		var out struct {
			Parameters []struct{ Name, Value string }
			NextToken  string
		}
		if err := v.call(ctx, "GetParametersByPath", in, &out); err != nil {
			return nil, fmt.Errorf("read the stage's secrets: %w", err)
		}
		for _, p := range out.Parameters {
			values[strings.TrimPrefix(p.Name, v.Path)] = p.Value
		}
		if out.NextToken == "" {
			return values, nil
		}
		in["NextToken"] = out.NextToken
	}
}

// Remove forgets a value; that there is none is an error.
func (v *Vault) Remove(ctx context.Context, name string) error {
	var out struct{}
	err := v.call(ctx, "DeleteParameter", map[string]any{"Name": v.Path + name}, &out)
	var refused *control.Error
	if errors.As(err, &refused) && refused.Code == "ParameterNotFound" {
		return term.WithHint(fmt.Errorf("no value of %s is kept for this stage", name), "\"roost secret list\" tells which are")
	}
	return err
}
