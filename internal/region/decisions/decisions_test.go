package decisions

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// Bounds of the tests, smaller than those of a region.
const (
	maxRefusals = 300
	maxUses     = 50
)

// world is records with a clock, which no timer writes: Flush does.
type world struct {
	*Decisions
	path string
	db   *store.DB
	now  time.Time
}

func newWorld(t *testing.T) *world {
	w := &world{path: filepath.Join(t.TempDir(), "region.db"), now: start}
	w.open(t)
	t.Cleanup(func() { errors.Join(w.Close(), w.db.Close()) })
	return w
}

func (w *world) open(t *testing.T) {
	t.Helper()
	var err error
	if w.db, err = store.Open(w.path); err != nil {
		t.Fatal(err)
	}
	w.Decisions = New(Config{DB: w.db, Now: func() time.Time { return w.now }, Pause: time.Hour, MaxRefusals: maxRefusals, MaxUses: maxUses})
}

// seen is Uses.
func (w *world) seen(t *testing.T, principal string, since time.Time) []Use {
	t.Helper()
	uses, err := w.Uses(t.Context(), principal, since)
	if err != nil {
		t.Fatal(err)
	}
	return uses
}

func (w *world) reopen(t *testing.T) {
	t.Helper()
	if err := errors.Join(w.Close(), w.db.Close()); err != nil {
		t.Fatal(err)
	}
	w.open(t)
}

func refusal(id string) Refusal {
	return Refusal{Time: start, RequestID: id, Status: 403, Reason: "because", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Trace: &iam.Trace{Statements: []iam.StatementTrace{}}}
}

func TestRecordsAreFoundAgain(t *testing.T) {
	w := newWorld(t)
	if _, err := w.Find(t.Context(), ""); !errors.Is(err, ErrUnknown) {
		t.Errorf("the last of none: %v", err)
	}
	w.Refused(refusal("one"))
	w.Refused(refusal("two"))
	for range 2 {
		for id, want := range map[string]string{"one": "one", "two": "two", "": "two"} {
			got, err := w.Find(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(refusal(want), *got); diff != "" {
				t.Error(diff)
			}
		}
		if list, err := w.List(t.Context(), 1); err != nil || len(list) != 1 || list[0].RequestID != "two" {
			t.Errorf("%v, %v", list, err)
		}
		w.reopen(t)
	}
	if _, err := w.Find(t.Context(), "three"); !errors.Is(err, ErrUnknown) {
		t.Errorf("one that is not there: %v", err)
	}
}

// Only the newest are kept, in memory and on disk, before and after a restart.
func TestRingIsBounded(t *testing.T) {
	w := newWorld(t)
	const more = 150
	for i := range maxRefusals + more {
		w.Refused(refusal(fmt.Sprint(i)))
		if i%100 == 99 {
			if err := w.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 2 {
		if err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{kindRefusal, kindNumber} {
			err := w.db.View(t.Context(), func(tx *store.Tx) error {
				items, err := tx.List(kind, "")
				if len(items) != maxRefusals {
					t.Errorf("%d of %s are stored", len(items), kind)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Find(t.Context(), fmt.Sprint(more-1)); !errors.Is(err, ErrUnknown) {
			t.Errorf("an old one: %v", err)
		}
		if _, err := w.Find(t.Context(), fmt.Sprint(more)); err != nil {
			t.Errorf("the oldest that is kept: %v", err)
		}
		w.reopen(t)
	}
}

// What was flushed is there after the process was killed: the state is opened
// again without having been closed.
func TestRecordsSurviveAKill(t *testing.T) {
	w := newWorld(t)
	w.Refused(refusal("one"))
	w.Used("arn:r", "s3:GetObject", "b", true)
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	copied := &world{path: filepath.Join(t.TempDir(), "copy.db"), now: start}
	if err := w.db.CopyTo(t.Context(), copied.path); err != nil {
		t.Fatal(err)
	}
	copied.open(t)
	defer func() { errors.Join(copied.Close(), copied.db.Close()) }()
	if r, err := copied.Find(t.Context(), ""); err != nil || r.RequestID != "one" {
		t.Errorf("%+v, %v", r, err)
	}
	if uses := copied.seen(t, "arn:r", time.Time{}); len(uses) != 1 {
		t.Errorf("%v", uses)
	}
}

// What cannot be written waits, and is written the next time.
func TestFailedWritesAreMadeGood(t *testing.T) {
	w := newWorld(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	var id string
	for i := 0; ; i++ { // until the writer in the background is not quicker
		id = strconv.Itoa(i)
		w.Refused(refusal(id))
		w.Used("arn:r", "s3:GetObject", "b", true)
		if w.Flush(gone) != nil {
			break
		}
		if i == 10_000 {
			t.Fatal("writes succeed although nobody waits for them")
		}
	}
	if _, err := w.Find(gone, id); err != nil {
		t.Error(err)
	}
	w.reopen(t)
	if _, err := w.Find(t.Context(), id); err != nil {
		t.Error(err)
	}
	if uses := w.seen(t, "arn:r", time.Time{}); len(uses) != 1 {
		t.Errorf("%v", uses)
	}
}

// Records are written without being asked for, in the background.
func TestRecordsAreWrittenByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{path: filepath.Join(t.TempDir(), "region.db"), now: start}
		w.open(t)
		w.Refused(refusal("one"))
		synctest.Wait()
		w.mu.Lock()
		waiting := len(w.waiting)
		w.mu.Unlock()
		if written := w.next - w.first; waiting != 0 || written != 1 {
			t.Errorf("%d wait, %d are written", waiting, written)
		}
		if err := errors.Join(w.Close(), w.db.Close()); err != nil {
			t.Error(err)
		}
	})
}

// A storm of refusals does not wait for the disk, and does not fill memory.
func TestStormIsBounded(t *testing.T) {
	w := newWorld(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range maxWaiting {
				w.Refused(refusal("x"))
			}
		})
	}
	group.Wait()
	w.mu.Lock()
	waiting := len(w.waiting)
	w.mu.Unlock()
	if waiting > maxWaiting {
		t.Errorf("%d wait", waiting)
	}
}

func TestRecordsAreTrimmed(t *testing.T) {
	w := newWorld(t)
	r := refusal("long")
	r.Path = strings.Repeat("ü", maxText)
	r.Diagnosis = &Diagnosis{CanonicalRequest: strings.Repeat("x", maxText+1)}
	r.Trace = &iam.Trace{}
	for i := range 500 {
		r.Trace.Statements = append(r.Trace.Statements, iam.StatementTrace{Index: i, Matched: i == 499})
	}
	w.Refused(r)
	got, err := w.Find(t.Context(), "long")
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Path) > maxText+4 || len(got.Diagnosis.CanonicalRequest) > maxText+4 {
		t.Error("texts are not cut")
	}
	if len(got.Trace.Statements) != maxStatements || got.Trace.Dropped != 400 || !got.Trace.Statements[0].Matched {
		t.Errorf("%d statements, %d dropped", len(got.Trace.Statements), got.Trace.Dropped)
	}
	if len(r.Trace.Statements) != 500 {
		t.Error("the caller's trace was changed")
	}
}

func TestUses(t *testing.T) {
	w := newWorld(t)
	w.Used("arn:r1", "s3:GetObject", "b", true)
	w.now = w.now.Add(time.Hour)
	w.Used("arn:r1", "s3:GetObject", "b", true)
	w.Used("arn:r1", "s3:GetObject", "b", false)
	w.Used("arn:r2", "s3:PutObject", "a", true)
	want := []Use{
		{"arn:r1", "s3:GetObject", "b", true, start, w.now},
		{"arn:r1", "s3:GetObject", "b", false, w.now, w.now},
	}
	for range 2 {
		got := w.seen(t, "arn:r1", time.Time{})
		if len(got) == 2 && !got[0].Allowed {
			got[0], got[1] = got[1], got[0]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if got := w.seen(t, "", w.now.Add(time.Second)); len(got) != 0 {
			t.Errorf("since later: %v", got)
		}
		if got := w.seen(t, "", time.Time{}); len(got) != 3 {
			t.Errorf("all: %v", got)
		}
		w.reopen(t)
	}
	w.now = w.now.Add(time.Hour)
	w.Used("arn:r2", "s3:PutObject", "a", true) // before anything is read
	if got := w.seen(t, "arn:r2", time.Time{}); len(got) != 1 || got[0].First != want[1].First || got[0].Last != w.now {
		t.Errorf("seen before and after a restart: %v", got)
	}
	if got := testing.AllocsPerRun(100, func() { w.Used("arn:r1", "s3:GetObject", "b", true) }); got != 0 {
		t.Errorf("a use that is known allocates %v times", got)
	}
}

func TestUsesAreBounded(t *testing.T) {
	w := newWorld(t)
	for i := range maxUses + 100 {
		w.Used("arn:r", "s3:GetObject", fmt.Sprint(i), true)
	}
	if got := len(w.seen(t, "", time.Time{})); got != maxUses {
		t.Errorf("%d uses are kept", got)
	}
}

func TestService(t *testing.T) {
	w := newWorld(t)
	s := w.Service()
	call := func(operation string, in, out any) error { return s.Call(t.Context(), wire.Call{}, operation, in, out) }
	if err := call("Explain", ExplainInput{}, nil); wire.Code(err) != "AccessDenied" {
		t.Errorf("without permission: %v", err)
	}
	allow := w.Service()
	allow.Authorize = func(context.Context, *wire.Call, []wire.Target) error { return nil }
	s = allow
	if err := call("Explain", ExplainInput{}, nil); wire.Code(err) != "ResourceNotFoundException" {
		t.Errorf("before any: %v", err)
	}
	r := refusal("one")
	r.RoleARN = "arn:aws:iam::123456789012:role/app"
	w.Refused(r)
	var out ExplainOutput
	if err := call("Explain", ExplainInput{RequestID: "one"}, &out); err != nil || out.Remedy != "add `s3:GetObject` on `arn:aws:s3:::b/k` to role app" {
		t.Errorf("%+v, %v", out, err)
	}
	var list ListRefusalsOutput
	if err := call("ListRefusals", ListRefusalsInput{}, &list); err != nil || len(list.Refusals) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if err := call("ListRefusals", ListRefusalsInput{MaxResults: 1001}, nil); wire.Code(err) != "ValidationException" {
		t.Errorf("too many: %v", err)
	}
	w.Used("arn:r", "a:b", "*", true)
	var uses ListUsesOutput
	if err := call("ListUses", ListUsesInput{Since: &start}, &uses); err != nil || len(uses.Uses) != 1 {
		t.Errorf("%+v, %v", uses, err)
	}
}

func TestRemedies(t *testing.T) {
	role := "arn:aws:iam::123456789012:role/app"
	base := func(d iam.Decision, statements ...iam.StatementTrace) *Refusal {
		return &Refusal{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", RoleARN: role, AccessKeyID: "ASIA", Trace: &iam.Trace{Decision: d, Statements: statements}}
	}
	deny := iam.StatementTrace{Type: iam.IdentityPolicy, Policy: "p", Sid: "No", Effect: iam.Deny, Matched: true}
	condition := iam.StatementTrace{Type: iam.IdentityPolicy, Policy: "p", Effect: iam.Allow, Mismatch: &iam.Mismatch{Element: "Condition", Operator: "Bool", Key: "aws:SecureTransport", Policy: []string{"true"}, Request: []string{"false"}}}
	absent := condition
	absent.Mismatch = &iam.Mismatch{Element: "Condition", Operator: "Bool", Key: "aws:MultiFactorAuthPresent", Policy: []string{"true"}, Absent: true}
	user := base(iam.Decision{By: iam.IdentityPolicy})
	user.RoleARN, user.Caller = "", "arn:aws:iam::123456789012:user/x/bob"
	session := base(iam.Decision{By: iam.IdentityPolicy})
	session.RoleARN, session.Caller = "", "arn:aws:sts::123456789012:assumed-role/app/me"
	for _, test := range []struct {
		r    *Refusal
		want string
	}{
		{base(iam.Decision{By: iam.IdentityPolicy}), "add `s3:GetObject` on `arn:aws:s3:::b/k` to role app"},
		{user, "add `s3:GetObject` on `arn:aws:s3:::b/k` to user bob"},
		{session, "add `s3:GetObject` on `arn:aws:s3:::b/k` to role app"},
		{base(iam.Decision{By: iam.PermissionsBoundary}), "add `s3:GetObject` on `arn:aws:s3:::b/k` to the permissions boundary of role app"},
		{base(iam.Decision{By: iam.SessionPolicy}), "let the session policy that was passed"},
		{base(iam.Decision{By: iam.TrustPolicy}), "let the trust policy of k allow `s3:GetObject` to the caller"},
		{base(iam.Decision{By: iam.ResourcePolicy}), "let the policy of `arn:aws:s3:::b/k` allow"},
		{base(iam.Decision{Outcome: iam.ExplicitDeny, By: iam.IdentityPolicy}, deny), "no policy can allow it as long as the statement No of identity-based policy p denies it"},
		{base(iam.Decision{By: iam.IdentityPolicy}, condition), "only the condition Bool on aws:SecureTransport of a statement of identity-based policy p keeps it from allowing `s3:GetObject`: it wants true, and the request has false"},
		{base(iam.Decision{By: iam.IdentityPolicy}, absent), "the request has no such key"},
		{&Refusal{Diagnosis: &Diagnosis{Sentence: "x"}}, "sign the request"},
		{&Refusal{AccessKeyID: "AKIA", Diagnosis: &Diagnosis{Sentence: "x"}}, ""},
		{&Refusal{Status: 404}, ""},
	} {
		if got := Remedy(test.r); !strings.HasPrefix(got, test.want) && !(strings.HasSuffix(got, test.want) && test.want != "") || test.want == "" && got != "" {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
