package identity

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// fakeTwitter knows people by their tokens, which it gave to one app.
type fakeTwitter struct {
	*httptest.Server
	down  atomic.Bool
	calls atomic.Int32
}

var tokenPattern = regexp.MustCompile(`oauth_consumer_key="([^"]+)".*oauth_signature="[^"]+".*oauth_token="token-of-([^"]+)"`)

func newFakeTwitter(t *testing.T) *fakeTwitter {
	f := &fakeTwitter{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.calls.Add(1)
		match := tokenPattern.FindStringSubmatch(r.Header.Get("Authorization"))
		switch {
		case f.down.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		case r.URL.Path != "/1.1/account/verify_credentials.json" || match == nil || match[1] != "key":
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"errors":[{"code":89,"message":"Invalid or expired token."}]}`)
		default:
			fmt.Fprintf(w, `{"id_str":"id-%s"}`, match[2])
		}
	}))
	t.Cleanup(f.Close)
	return f
}

// world is an Identity with what it needs, and its wire.
type world struct {
	t       *testing.T
	twitter *fakeTwitter
	path    string
	config  Config
	pools   *Identity
	service *wire.Service

	mu      sync.Mutex
	ahead   time.Duration
	assumed []SessionRequest
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, twitter: newFakeTwitter(t), path: filepath.Join(t.TempDir(), "region.db")}
	w.config = Config{
		Account: "123456789012", Region: "us-east-1", Assume: w.assume, TwitterURL: w.twitter.URL,
		Now: func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return time.Now().Add(w.ahead) },
	}
	w.open()
	t.Cleanup(func() { w.close() })
	return w
}

func (w *world) open() {
	db, err := store.Open(w.path)
	if err != nil {
		w.t.Fatal(err)
	}
	w.config.Store = db
	if w.pools, err = New(w.config); err != nil {
		w.t.Fatal(err)
	}
	w.service = w.pools.Service()
	w.service.Authorize = func(_ context.Context, call *wire.Call, targets []wire.Target) error {
		if call.Caller == nil {
			return wire.Errorf(403, "MissingAuthenticationToken", "unsigned: %v", targets)
		}
		return nil
	}
}

func (w *world) close() {
	w.pools.Close()
	w.config.Store.Close()
}

func (w *world) restart() {
	w.close()
	w.open()
}

// assume refuses the role that is named so.
func (w *world) assume(_ context.Context, request SessionRequest) (SessionCredentials, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.assumed = append(w.assumed, request)
	if strings.HasSuffix(request.RoleARN, "/untrusting") {
		return SessionCredentials{}, wire.Errorf(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
	}
	return SessionCredentials{"ASIA1", "secret", "session", time.Unix(1800000000, 0)}, nil
}

func (w *world) lastAssumed() SessionRequest {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.assumed) == 0 {
		w.t.Fatal("no role was assumed")
	}
	return w.assumed[len(w.assumed)-1]
}

type object = map[string]any

// post sends an operation over the wire, signed or not.
func (w *world) post(operation string, in any, signed bool) (*httptest.ResponseRecorder, object) {
	w.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		w.t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSCognitoIdentityService."+operation)
	recorder := httptest.NewRecorder()
	incoming, err := w.service.Resolve(r, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	incoming.SetBody(body)
	call := &wire.Call{Region: w.config.Region, Account: w.config.Account, RequestID: "request-id"}
	if signed {
		call.Caller = &wire.Caller{Account: w.config.Account}
	}
	_ = w.service.Respond(r.Context(), recorder, call, incoming)
	var out object
	if err := json.Unmarshal(recorder.Body.Bytes(), &out); err != nil {
		w.t.Fatalf("%s: %v in %s", operation, err, recorder.Body)
	}
	return recorder, out
}

// do sends an operation that must succeed.
func (w *world) do(operation string, in object) object {
	w.t.Helper()
	recorder, out := w.post(operation, in, true)
	if recorder.Code != 200 {
		w.t.Fatalf("%s: %d %s", operation, recorder.Code, recorder.Body)
	}
	return out
}

// refused sends an operation that must be refused.
func (w *world) refused(operation string, in object, code, message string) {
	w.t.Helper()
	recorder, out := w.post(operation, in, true)
	want := object{"__type": code, "message": message}
	if diff := cmp.Diff(want, out); recorder.Code != 400 || diff != "" {
		w.t.Errorf("%s: status %d, (-want +got):\n%s", operation, recorder.Code, diff)
	}
}

// newPool makes a pool like the tutorial's, changed by more, and gives it roles.
func (w *world) newPool(more object) string {
	w.t.Helper()
	in := object{
		"IdentityPoolName": "my pool", "AllowUnauthenticatedIdentities": false,
		"SupportedLoginProviders": object{"api.twitter.com": "key;secret"},
	}
	for name, value := range more {
		in[name] = value
	}
	id := w.do("CreateIdentityPool", in)["IdentityPoolId"].(string)
	w.do("SetIdentityPoolRoles", object{"IdentityPoolId": id, "Roles": object{
		"authenticated": "arn:aws:iam::123456789012:role/auth", "unauthenticated": "arn:aws:iam::123456789012:role/guest",
	}})
	return id
}

// as is the login of a person with Twitter.
func as(name string) object {
	return object{"api.twitter.com": "token-of-" + name + ";secret-of-" + name}
}

func (w *world) getID(pool string, logins object) string {
	w.t.Helper()
	return w.do("GetId", object{"IdentityPoolId": pool, "Logins": logins})["IdentityId"].(string)
}
