package target

import (
	"context"
	"fmt"
	"sync"

	"github.com/seed-615d3599/roost/internal/cli/vault"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/control"
	"github.com/seed-615d3599/roost/sigv4"
)

// Vault returns where the stage's secrets are kept.
func (t *Target) Vault(ctx context.Context) (*vault.Vault, error) {
	given, err := t.AWS.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("get credentials: %w", err)
	}
	c := control.Client{Region: t.AWS.Region, Credentials: sigv4.Credentials{
		AccessKeyID: given.AccessKeyID, SecretAccessKey: given.SecretAccessKey, SessionToken: given.SessionToken}}
	if t.AWS.BaseEndpoint != nil {
		c.Endpoint = *t.AWS.BaseEndpoint
	} else {
		c.Endpoint = control.Endpoint("ssm", t.AWS.Region)
	}
	return &vault.Vault{Client: c, Path: vault.Path(t.app)}, nil
}

// secrets answers which value a secret has: that of the environment, or else
// the one that is kept in the region, which is asked once and only if need be.
func (t *Target) secrets(ctx context.Context, env []string) func(name string) (string, bool) {
	kept := sync.OnceValue(func() map[string]string {
		v, err := t.Vault(ctx)
		if err != nil {
			return nil
		}
		values, err := v.All(ctx)
		if err != nil {
			t.session.Term.Warn(err.Error())
		}
		return values
	})
	return func(name string) (string, bool) {
		if value, found := config.Lookup(env, name); found && value != "" {
			return value, true
		}
		value, found := kept()[name]
		return value, found
	}
}
