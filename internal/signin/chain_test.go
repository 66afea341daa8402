package signin

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region/access"
	"github.com/seed-615d3599/roost/internal/region/identity"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/twitter"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// chain is all that a sign-in passes: the Twitter stand-in, identity pools and
// STS, on one state.
type chain struct {
	t      *testing.T
	access *access.Access
	pools  *wire.Service
	app    Twitter
	pool   Pool
}

func newChain(t *testing.T) *chain {
	db, err := store.Open(filepath.Join(t.TempDir(), "region.db"))
	if err != nil {
		t.Fatal(err)
	}
	c := &chain{t: t}
	c.access, err = access.New(access.Config{Account: "123456789012", Region: "us-east-1", DB: db, MasterKey: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	var pools *identity.Identity
	provider, err := twitter.New(twitter.Config{Store: db, Consumers: func(key string) (string, []string) { return pools.Consumers(key) }})
	if err != nil {
		t.Fatal(err)
	}
	standIn := httptest.NewServer(provider)
	pools, err = identity.New(identity.Config{Account: "123456789012", Region: "us-east-1", Store: db, TwitterURL: standIn.URL, Assume: c.assume})
	if err != nil {
		t.Fatal(err)
	}
	c.pools = pools.Service()
	c.pools.Authorize = func(context.Context, *wire.Call, []wire.Target) error { return nil }
	cognito := httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(func() {
		cognito.Close()
		pools.Close()
		standIn.Close()
		db.Close()
	})
	c.app = Twitter{BaseURL: standIn.URL, ConsumerKey: testKey, ConsumerSecret: testSecret}
	c.pool = Pool{Endpoint: cognito.URL, ID: c.newPool()}
	return c
}

func (c *chain) assume(_ context.Context, r identity.SessionRequest) (identity.SessionCredentials, error) {
	const issuer = "cognito-identity.amazonaws.com"
	given, err := c.access.Federate(access.FederatedSession{
		RoleARN: r.RoleARN, Name: r.Name, Seconds: r.Seconds, Policies: r.Policies, PolicyARNs: r.PolicyARNs, Tags: r.Tags,
		Identity: access.WebIdentity{Provider: issuer, Issuer: issuer, Subject: r.IdentityID, Audience: r.PoolID, AMR: r.AMR},
	})
	if err != nil {
		return identity.SessionCredentials{}, err
	}
	return identity.SessionCredentials{AccessKeyID: given.AccessKeyID, SecretAccessKey: given.SecretAccessKey, SessionToken: given.SessionToken, Expiration: given.Expiration.Time}, nil
}

func (c *chain) serve(w http.ResponseWriter, r *http.Request) {
	in, err := c.pools.Resolve(r, nil)
	if err != nil {
		c.pools.WriteError(w, "request-id", err)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		c.t.Error(err)
	}
	in.SetBody(body)
	_ = c.pools.Respond(r.Context(), w, &wire.Call{RequestID: "request-id"}, in)
}

// newPool makes a pool with roles that trust its people, as CDK writes them.
func (c *chain) newPool() string {
	c.t.Helper()
	var pool struct{ IdentityPoolId string }
	c.call(c.pools, "CreateIdentityPool", map[string]any{
		"IdentityPoolName": "my pool", "AllowUnauthenticatedIdentities": true,
		"SupportedLoginProviders": map[string]string{"api.twitter.com": testKey + ";" + testSecret},
	}, &pool)
	iam := c.access.IAM()
	iam.Authorize = c.pools.Authorize
	roles := map[string]string{}
	for _, kind := range []string{"authenticated", "unauthenticated"} {
		trust, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": map[string]any{
			"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": map[string]any{"Federated": "cognito-identity.amazonaws.com"},
			"Condition": map[string]any{
				"StringEquals":           map[string]any{"cognito-identity.amazonaws.com:aud": pool.IdentityPoolId},
				"ForAnyValue:StringLike": map[string]any{"cognito-identity.amazonaws.com:amr": kind},
			},
		}})
		if err != nil {
			c.t.Fatal(err)
		}
		var role struct{ Role struct{ Arn string } }
		c.call(iam, "CreateRole", map[string]any{"RoleName": kind, "AssumeRolePolicyDocument": string(trust)}, &role)
		roles[kind] = role.Role.Arn
	}
	c.call(c.pools, "SetIdentityPoolRoles", map[string]any{"IdentityPoolId": pool.IdentityPoolId, "Roles": roles}, nil)
	return pool.IdentityPoolId
}

func (c *chain) call(s *wire.Service, operation string, in, out any) {
	c.t.Helper()
	var ignored any
	if out == nil {
		out = &ignored
	}
	var all json.RawMessage
	if err := s.Call(c.t.Context(), wire.Call{Caller: &wire.Caller{Account: "123456789012"}}, operation, in, &all); err != nil {
		c.t.Fatalf("%s: %v", operation, err)
	}
	if err := json.Unmarshal(all, out); err != nil {
		c.t.Fatal(err)
	}
}

func TestTwoHundredPeopleSignInAtOnce(t *testing.T) {
	c := newChain(t)
	sessions := make([]Session, 200)
	var wait sync.WaitGroup
	for i := range sessions {
		wait.Go(func() {
			profile, err := c.app.AuthorizeAs(t.Context(), fmt.Sprint("person_", i))
			if err == nil {
				sessions[i], err = c.pool.SignIn(t.Context(), TwitterProvider, profile.Username, profile.Login())
			}
			if err != nil {
				t.Errorf("person %d: %v", i, err)
			}
		})
	}
	wait.Wait()
	seen := map[string]bool{}
	for i, session := range sessions {
		if seen[session.IdentityID] {
			t.Errorf("person %d shares the identity %s", i, session.IdentityID)
		}
		seen[session.IdentityID] = true
		secret, caller, err := c.access.Key(t.Context(), session.AccessKeyID, session.SessionToken)
		if err != nil || secret != session.SecretAccessKey {
			t.Fatalf("person %d: %v", i, err)
		}
		if caller.Cognito == nil || caller.Cognito.IdentityID != session.IdentityID || caller.Cognito.PoolID != c.pool.ID || len(caller.Cognito.AMR) != 3 {
			t.Fatalf("person %d is %+v", i, caller.Cognito)
		}
	}
}

func TestGuestsGetASession(t *testing.T) {
	c := newChain(t)
	var id struct{ IdentityId string }
	c.call(c.pools, "GetId", map[string]any{"IdentityPoolId": c.pool.ID}, &id)
	var given struct {
		Credentials struct{ AccessKeyId, SessionToken string }
	}
	c.call(c.pools, "GetCredentialsForIdentity", map[string]any{"IdentityId": id.IdentityId}, &given)
	if _, caller, err := c.access.Key(t.Context(), given.Credentials.AccessKeyId, given.Credentials.SessionToken); err != nil || !strings.HasSuffix(caller.RoleARN, "role/unauthenticated") {
		t.Errorf("a guest is %+v, %v", caller, err)
	}
}

// The tutorial's commands, with its colon between token and secret.
func TestTheAWSCLISignsIn(t *testing.T) {
	aws := need.Tool(t, "aws")
	c := newChain(t)
	profile, err := c.app.AuthorizeAs(t.Context(), "fanjiewang")
	if err != nil {
		t.Fatal(err)
	}
	run := func(out any, args ...string) {
		t.Helper()
		command := exec.CommandContext(t.Context(), aws, append([]string{"cognito-identity", "--endpoint-url", c.pool.Endpoint, "--region", "us-east-1", "--output", "json"}, args...)...)
		command.Env = []string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}
		var said strings.Builder
		command.Stderr = &said
		answer, err := command.Output()
		if err == nil {
			err = json.Unmarshal(answer, out)
		}
		if err != nil {
			t.Fatalf("aws %q: %v: %s", args, err, said.String())
		}
	}
	login := "api.twitter.com=" + profile.Token + ":" + profile.Secret
	var id struct{ IdentityId string }
	run(&id, "get-id", "--identity-pool-id", c.pool.ID, "--logins", login)
	var given struct {
		IdentityId  string
		Credentials struct{ AccessKeyId, SecretKey, SessionToken string }
	}
	run(&given, "get-credentials-for-identity", "--identity-id", id.IdentityId, "--logins", login)
	secret, _, err := c.access.Key(t.Context(), given.Credentials.AccessKeyId, given.Credentials.SessionToken)
	if err != nil || secret != given.Credentials.SecretKey || given.IdentityId != id.IdentityId {
		t.Errorf("got %+v, %v", given, err)
	}
}

func TestTokensThatAPoolMustNotTake(t *testing.T) {
	c := newChain(t)
	profile, err := c.app.AuthorizeAs(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	other := newChain(t)
	stranger, err := other.app.AuthorizeAs(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	for name, login := range map[string]string{
		"invented":             "1-invented;secret",
		"another secret":       profile.Token + ";" + stranger.Secret,
		"of another state":     stranger.Login(),
		"with a changed token": profile.Token + "x;" + profile.Secret,
	} {
		if session, err := c.pool.SignIn(t.Context(), TwitterProvider, "alice", login); err == nil || !strings.Contains(err.Error(), "NotAuthorizedException: Invalid login token.") {
			t.Errorf("%s: %+v, %v", name, session, err)
		}
	}
}
