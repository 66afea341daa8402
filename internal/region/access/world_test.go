package access_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/access"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

const account = "123456789012"

// world is IAM and STS with a clock, and a user who may do everything.
type world struct {
	t        *testing.T
	path     string
	db       *store.DB
	key      []byte
	now      time.Time
	identity *access.WebIdentity // what every web identity token says
	access   *access.Access
	iam, sts *wire.Service
	admin    *wire.Caller
	adminKey [2]string
	used     []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, path: filepath.Join(t.TempDir(), "region.db"), key: bytes.Repeat([]byte{7}, 32),
		now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC),
	}
	w.open()
	t.Cleanup(func() { w.db.Close() })
	return w
}

// open opens the state, as a region does that starts.
func (w *world) open() {
	w.t.Helper()
	var err error
	if w.db, err = store.Open(w.path); err != nil {
		w.t.Fatal(err)
	}
	w.access, err = access.New(access.Config{
		Account: account, Region: "us-east-1", DB: w.db, MasterKey: w.key, Now: func() time.Time { return w.now },
		WebIdentity: func(context.Context, string) (*access.WebIdentity, error) {
			if w.identity == nil {
				return nil, errors.New("not a token")
			}
			return w.identity, nil
		},
		Used: func(principal, action, _ string, allowed bool) {
			w.used = append(w.used, principal+" "+action+map[bool]string{true: " yes", false: " no"}[allowed])
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.iam, w.sts = w.access.IAM(), w.access.STS()
	w.iam.Authorize, w.sts.Authorize = w.access.Authorize, w.access.Authorize
	id, secret, err := w.access.EnsureUser(w.t.Context(), "roost")
	if err != nil {
		w.t.Fatal(err)
	}
	w.adminKey = [2]string{id, secret}
	w.admin = w.caller(id, "")
}

// restart closes the state and opens it again.
func (w *world) restart() {
	w.t.Helper()
	if err := w.db.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.open()
}

// caller is whose a credential is.
func (w *world) caller(id, token string) *wire.Caller {
	w.t.Helper()
	_, caller, err := w.access.Key(w.t.Context(), id, token)
	if err != nil {
		w.t.Fatal(err)
	}
	return caller
}

// m is an input or an output.
type m = map[string]any

// try calls an operation of IAM or STS.
func (w *world) try(caller *wire.Caller, operation string, in m) (m, error) {
	service := w.iam
	if w.sts.Has(operation) {
		service = w.sts
	}
	out := m{}
	err := service.Call(w.t.Context(), wire.Call{Caller: caller, Region: "us-east-1"}, operation, in, &out)
	return out, err
}

// must calls an operation as the administrator.
func (w *world) must(operation string, in m) m {
	w.t.Helper()
	return w.mustAs(w.admin, operation, in)
}

func (w *world) mustAs(caller *wire.Caller, operation string, in m) m {
	w.t.Helper()
	out, err := w.try(caller, operation, in)
	if err != nil {
		w.t.Fatalf("%s: %v", operation, err)
	}
	return out
}

// fails wants an error with a code and a text in it.
func (w *world) fails(caller *wire.Caller, operation string, in m, want string) {
	w.t.Helper()
	_, err := w.try(caller, operation, in)
	if err == nil || !strings.Contains(err.Error(), want) {
		w.t.Errorf("%s gives %v, want an error with %q", operation, err, want)
	}
}

const trustAccount = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}]}`

// policy allows actions on everything.
func policy(actions ...string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"*"}}`
}

// role makes a role that may do some actions.
func (w *world) role(name, trust string, actions ...string) string {
	w.t.Helper()
	out := w.must("CreateRole", m{"RoleName": name, "AssumeRolePolicyDocument": trust})
	if len(actions) > 0 {
		w.must("PutRolePolicy", m{"RoleName": name, "PolicyName": "may", "PolicyDocument": policy(actions...)})
	}
	return out["Role"].(m)["Arn"].(string)
}

// user makes a user with a key, who may do some actions, and returns it as a
// caller.
func (w *world) user(name string, actions ...string) *wire.Caller {
	w.t.Helper()
	w.must("CreateUser", m{"UserName": name})
	if len(actions) > 0 {
		w.must("PutUserPolicy", m{"UserName": name, "PolicyName": "may", "PolicyDocument": policy(actions...)})
	}
	key := w.must("CreateAccessKey", m{"UserName": name})["AccessKey"].(m)
	return w.caller(key["AccessKeyId"].(string), "")
}

// credentials are those in an answer of STS.
type credentials struct{ id, secret, token string }

func given(out m) credentials {
	c := out["Credentials"].(m)
	return credentials{c["AccessKeyId"].(string), c["SecretAccessKey"].(string), c["SessionToken"].(string)}
}

// assume makes a session of a role.
func (w *world) assume(caller *wire.Caller, role string, more m) credentials {
	w.t.Helper()
	in := m{"RoleArn": role, "RoleSessionName": "test"}
	for name, value := range more {
		in[name] = value
	}
	return given(w.mustAs(caller, "AssumeRole", in))
}

// outcome decides as the gateway does.
func (w *world) outcome(caller *wire.Caller, action, resource string, keys ...iam.Key) iam.Outcome {
	w.t.Helper()
	decision, err := w.access.Decide(access.Question{Caller: caller, Action: action, Resource: resource, Context: keys}, nil)
	if err != nil {
		w.t.Logf("%s: %v", action, err)
	}
	return decision.Outcome
}

// keyError is what is wrong with a credential.
func (w *world) keyError(id, token string) string {
	_, _, err := w.access.Key(w.t.Context(), id, token)
	return wire.Code(err)
}
