package stacks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/stacks"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// world is a service of things, kept in the same state file.
type world struct {
	db        *store.DB
	mu        sync.Mutex
	fail      map[string]string // what to refuse: "create A" → message
	log       []string
	templates map[string]string        // objects in S3, by key
	function  func(customRequest)      // answers for custom resources
	asked     []customRequest          // what it was asked
	hang      map[string]chan struct{} // slow things that wait: by logical id
	allow     map[string]int           // how often "update A" goes well before it fails
	skipped   time.Duration            // how far the clock was put forward
	roles     map[string]bool          // those that trust CloudFormation
	distrust  string                   // what ends their trust: "update A"
	record    func(string) bool        // as in Config; nil keeps no records
}

func newWorld() *world {
	return &world{fail: map[string]string{}, templates: map[string]string{}, hang: map[string]chan struct{}{}, allow: map[string]int{}}
}

// change changes the world while stacks may be looking at it.
func (w *world) change(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *world) setFail(what, text string) { w.change(func() { w.fail[what] = text }) }

// object is what lies in S3 under a key.
func (w *world) object(key string) (body string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	body, ok = w.templates[key]
	return body, ok
}

// failAfter has something fail after it went well n times.
func (w *world) failAfter(what string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.allow[what] = n
	w.fail[what] = "no more"
}

// trusts reports whether a role trusts CloudFormation.
func (w *world) trusts(role string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.roles[role]
}

// skip puts the clock forward by seconds.
func (w *world) skip(seconds int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.skipped += time.Duration(seconds) * time.Second
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.skipped)
}

type thing struct{ Name, Size string }

func (w *world) refuse(act, name string, want map[string]any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, act+" "+name)
	if w.distrust == act+" "+name {
		w.roles = nil
	}
	if want["Other"] == "fail" {
		return wire.Errorf(400, "InvalidThing", "it is to fail")
	}
	if w.allow[act+" "+name] > 0 {
		w.allow[act+" "+name]--
		return nil
	}
	if text := w.fail[act+" "+name]; text != "" {
		return wire.Errorf(400, "InvalidThing", "%s", text)
	}
	return nil
}

func (w *world) things(t *testing.T) []string {
	t.Helper()
	var names []string
	err := w.db.View(t.Context(), func(tx *store.Tx) error {
		all, err := store.All[thing](tx, "thing", "")
		for _, one := range all {
			names = append(names, one.Name+"="+one.Size)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func (w *world) takeLog() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	log := w.log
	w.log = nil
	return log
}

// thingType is a resource type; its physical id is NAME or, made again by a
// replacement, NAME and the token.
func (w *world) thingType() *resources.Type {
	put := func(ctx context.Context, id, size string) error {
		return w.db.Update(ctx, func(_ context.Context, tx *store.Tx) error {
			return tx.Put("thing", id, thing{Name: id, Size: size})
		})
	}
	state := func(id string, want map[string]any) resources.State {
		return resources.State{ID: id, Attributes: map[string]any{"Size": fmt.Sprint(want["Size"])}}
	}
	return &resources.Type{
		Name: "AWS::Test::Thing",
		Properties: resources.Properties{
			"Name": {Kind: resources.String, Replace: true}, "Size": {Kind: resources.Integer},
			"Other": {Kind: resources.String}, "Open": {Mode: resources.Refused, Why: "use Name"},
			"Tags": {Kind: resources.List, Items: &resources.Property{Kind: resources.Object}},
		},
		Attributes: []string{"Size"},
		Create: func(ctx context.Context, e *resources.Env, want map[string]any) (resources.State, error) {
			id := fmt.Sprintf("%s:%v", e.LogicalID, want["Name"])
			if err := put(ctx, id, fmt.Sprint(want["Size"])); err != nil {
				return resources.State{}, err
			}
			return state(id, want), w.refuse("create", e.LogicalID, want)
		},
		Update: func(ctx context.Context, e *resources.Env, have resources.State, want map[string]any) (resources.State, error) {
			if err := put(ctx, have.ID, fmt.Sprint(want["Size"])); err != nil {
				return have, err
			}
			return state(have.ID, want), w.refuse("update", e.LogicalID, want)
		},
		Delete: func(ctx context.Context, e *resources.Env, have resources.State) error {
			err := w.db.Update(ctx, func(_ context.Context, tx *store.Tx) error { return tx.Delete("thing", have.ID) })
			if err != nil {
				return err
			}
			return w.refuse("delete", e.LogicalID, nil)
		},
	}
}

type fixture struct {
	*world
	t       *testing.T
	service *wire.Service
	engine  *stacks.Stacks
	path    string
}

func start(t *testing.T) *fixture {
	f := &fixture{t: t, path: filepath.Join(t.TempDir(), "region.db"), world: newWorld()}
	f.open()
	t.Cleanup(f.close)
	return f
}

func (f *fixture) open() {
	f.t.Helper()
	db, err := store.Open(f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	f.db = db
	f.engine = stacks.New(stacks.Config{
		Account: "123456789012", Region: "us-east-1", DB: db, Types: resources.New(f.thingType(), f.slowType(), f.partType(), roleType()),
		CallerFor: func(arn string) (*wire.Caller, error) { return &wire.Caller{ARN: arn}, nil },
		RoleCaller: func(arn string) (*wire.Caller, error) {
			if !f.trusts(arn) {
				return nil, wire.Errorf(400, "ValidationError", "Role %s is invalid or cannot be assumed", arn)
			}
			return &wire.Caller{ARN: arn}, nil
		},
		Object: func(_ context.Context, _ *wire.Caller, _, key string) ([]byte, error) {
			if body, ok := f.object(key); ok {
				return []byte(body), nil
			}
			if strings.Contains(key, "-") {
				return []byte(nestedByKey(key)), nil
			}
			return nil, wire.Errorf(404, "NoSuchKey", "The specified key does not exist.")
		},
		Services: map[string]*wire.Service{"lambda": f.lambda()},
		Endpoint: func() string { return "http://127.0.0.1:4000" },
		Record:   func(name string) bool { return f.record != nil && f.record(name) },
		Now:      f.now,
	})
	f.service = f.engine.Service()
	f.service.Authorize = func(context.Context, *wire.Call, []wire.Target) error { return nil }
}

func (f *fixture) close() {
	f.engine.Close()
	f.db.Close()
}

func (f *fixture) call(operation string, in, out any) error {
	f.t.Helper()
	return f.service.Call(f.t.Context(), wire.Call{Caller: &wire.Caller{ARN: "arn:aws:iam::123456789012:user/roost"}}, operation, in, out)
}

func (f *fixture) must(operation string, in, out any) {
	f.t.Helper()
	if err := f.call(operation, in, out); err != nil {
		f.t.Fatalf("%s: %v", operation, err)
	}
}

// rest waits until the stack is at rest and returns its status.
func (f *fixture) rest(name string) string {
	f.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; {
		changed := f.engine.Changed()
		var out stacks.DescribeStacksOutput
		f.must("DescribeStacks", map[string]any{"StackName": name}, &out)
		if status := out.Stacks[0].StackStatus; !strings.HasSuffix(status, "_IN_PROGRESS") {
			return status
		}
		select {
		case <-changed:
		case <-time.After(time.Until(deadline)):
			f.t.Fatalf("stack %s is still %s", name, out.Stacks[0].StackStatus)
		}
	}
}

// events lists "LOGICAL STATUS reason" in the order in which they happened.
func (f *fixture) events(name string) []string {
	f.t.Helper()
	var list []string
	for next := "start"; next != ""; {
		in := map[string]any{"StackName": name}
		if next != "start" {
			in["NextToken"] = next
		}
		var out stacks.EventsOutput
		f.must("DescribeStackEvents", in, &out)
		for _, e := range out.StackEvents {
			list = append(list, strings.TrimSpace(e.LogicalResourceID+" "+e.ResourceStatus+" "+e.ResourceStatusReason))
		}
		next = out.NextToken
	}
	slices.Reverse(list)
	return list
}

func template(resources map[string]string, more ...string) string {
	var parts []string
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		parts = append(parts, fmt.Sprintf("%q: {\"Type\": \"AWS::Test::Thing\", %s}", id, resources[id]))
	}
	return "{\"Resources\": {" + strings.Join(parts, ", ") + "}" + strings.Join(more, "") + "}"
}

const (
	one = `"Properties": {"Size": 1}`
	two = `"Properties": {"Size": {"Fn::GetAtt": ["A", "Size"]}, "Other": {"Ref": "A"}}`
)

func TestCreateUpdateDelete(t *testing.T) {
	f := start(t)
	f.must("CreateStack", map[string]any{
		"StackName":    "s",
		"TemplateBody": template(map[string]string{"A": one, "B": two}, `, "Outputs": {"Size": {"Value": {"Fn::GetAtt": ["B", "Size"]}}}`),
	}, nil)
	if status := f.rest("s"); status != "CREATE_COMPLETE" {
		t.Fatal(status, f.events("s"))
	}
	want := []string{
		"s CREATE_IN_PROGRESS User Initiated",
		"A CREATE_IN_PROGRESS", "A CREATE_IN_PROGRESS Resource creation Initiated", "A CREATE_COMPLETE",
		"B CREATE_IN_PROGRESS", "B CREATE_IN_PROGRESS Resource creation Initiated", "B CREATE_COMPLETE",
		"s CREATE_COMPLETE",
	}
	if diff := cmp.Diff(want, f.events("s")); diff != "" {
		t.Error(diff)
	}
	var out stacks.DescribeStacksOutput
	f.must("DescribeStacks", map[string]any{"StackName": "s"}, &out)
	if diff := cmp.Diff([]stacks.Output{{OutputKey: "Size", OutputValue: "1"}}, out.Stacks[0].Outputs); diff != "" {
		t.Error(diff)
	}

	// A change of A's size reaches B; a third is added.
	f.takeLog()
	f.must("UpdateStack", map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"A": `"Properties": {"Size": "2"}`, "B": two, "C": one})}, nil)
	if status := f.rest("s"); status != "UPDATE_COMPLETE" {
		t.Fatal(status, f.events("s"))
	}
	log := f.takeLog()
	slices.Sort(log)
	if diff := cmp.Diff([]string{"create C", "update A", "update B"}, log); diff != "" {
		t.Error(diff)
	}

	// A is replaced: made anew first, the old one removed at the end; C goes.
	f.must("UpdateStack", map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"A": `"Properties": {"Size": "2", "Name": "new"}`, "B": two})}, nil)
	if status := f.rest("s"); status != "UPDATE_COMPLETE" {
		t.Fatal(status, f.events("s"))
	}
	if diff := cmp.Diff([]string{"A:new=2", "B:<nil>=2"}, f.things(t)); diff != "" {
		t.Error(diff)
	}
	if err := f.call("UpdateStack", map[string]any{"StackName": "s", "UsePreviousTemplate": true}, nil); err == nil || !strings.Contains(err.Error(), "No updates are to be performed.") {
		t.Errorf("an update without changes: %v", err)
	}

	var st stacks.DescribeStacksOutput
	f.must("DescribeStacks", map[string]any{"StackName": "s"}, &st)
	f.must("DeleteStack", map[string]any{"StackName": "s"}, nil)
	if status := f.rest(st.Stacks[0].StackID); status != "DELETE_COMPLETE" {
		t.Fatal(status)
	}
	if left := f.things(t); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
	if err := f.call("DescribeStacks", map[string]any{"StackName": "s"}, nil); err == nil || !strings.Contains(err.Error(), "Stack with id s does not exist") {
		t.Errorf("a deleted stack by name: %v", err)
	}
}

func TestFailedCreateIsRolledBack(t *testing.T) {
	f := start(t)
	f.setFail("create B", "no room")
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"A": one, "B": two, "C": `"DependsOn": "B"`})}, nil)
	if status := f.rest("s"); status != "ROLLBACK_COMPLETE" {
		t.Fatal(status, f.events("s"))
	}
	events := strings.Join(f.events("s"), "\n")
	for _, text := range []string{
		`B CREATE_FAILED Resource handler returned message: "no room" (RequestToken: `,
		"s ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [B]. Rollback requested by user.",
		"A DELETE_COMPLETE",
	} {
		if !strings.Contains(events, text) {
			t.Errorf("no event %q in\n%s", text, events)
		}
	}
	if strings.Contains(events, "C CREATE") {
		t.Error("C was begun although B failed")
	}
	if left := f.things(t); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestFailedUpdateIsRolledBack(t *testing.T) {
	f := start(t)
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"A": one, "B": two, "Old": one})}, nil)
	f.rest("s")
	before := f.things(t)
	f.setFail("update B", "not now")
	f.must("UpdateStack", map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{
		"A": `"Properties": {"Size": 7, "Name": "other"}`, "B": two, "New": one,
	})}, nil)
	if status := f.rest("s"); status != "UPDATE_ROLLBACK_COMPLETE" {
		t.Fatal(status, strings.Join(f.events("s"), "\n"))
	}
	if diff := cmp.Diff(before, f.things(t)); diff != "" {
		t.Error(diff)
	}
	f.setFail("update B", "")
	f.must("UpdateStack", map[string]any{"StackName": "s", "TemplateBody": template(map[string]string{"A": one, "B": two})}, nil)
	if status := f.rest("s"); status != "UPDATE_COMPLETE" {
		t.Fatal(status, strings.Join(f.events("s"), "\n"))
	}
	if diff := cmp.Diff([]string{"A:<nil>=1", "B:<nil>=1"}, f.things(t)); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedBeforeAnythingIsMade(t *testing.T) {
	f := start(t)
	tests := []struct {
		name, template string
		want           []string
	}{
		{"all at once", `{"Resources": {"A": {"Type": "AWS::Test::Thing", "Properties": {"Colour": 1, "Open": true}}, "B": {"Type": "AWS::No::Such"}}}`,
			[]string{"A (AWS::Test::Thing): Colour: roost does not support this property", "Open: roost refuses this property: use Name", "B: roost does not support the type AWS::No::Such"}},
		{"wrong type", template(map[string]string{"A": `"Properties": {"Size": "big"}`}), []string{"Size: expected a whole number"}},
		{"cycle", template(map[string]string{"A": `"DependsOn": "B"`, "B": `"DependsOn": "A"`}), []string{"Circular dependency between resources: [A, B]"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := f.call("CreateStack", map[string]any{"StackName": "s", "TemplateBody": test.template}, nil)
			for _, text := range test.want {
				if err == nil || !strings.Contains(err.Error(), text) {
					t.Errorf("%v\ndoes not say %q", err, text)
				}
			}
		})
	}
	if log := f.takeLog(); len(log) > 0 {
		t.Errorf("something was done: %v", log)
	}
}

func TestChangeSets(t *testing.T) {
	f := start(t)
	create := func(name, kind, body string) stacks.DescribeChangeSetOutput {
		t.Helper()
		f.must("CreateChangeSet", map[string]any{"StackName": "s", "ChangeSetName": name, "ChangeSetType": kind, "TemplateBody": body}, nil)
		var out stacks.DescribeChangeSetOutput
		f.must("DescribeChangeSet", map[string]any{"StackName": "s", "ChangeSetName": name, "IncludePropertyValues": true}, &out)
		return out
	}
	summary := func(out stacks.DescribeChangeSetOutput) (list []string) {
		for _, c := range out.Changes {
			text := c.ResourceChange.Action + " " + c.ResourceChange.LogicalResourceID + " " + c.ResourceChange.Replacement
			for _, d := range c.ResourceChange.Details {
				text += fmt.Sprintf(" %s:%s→%s", d.Target.Path, d.Target.BeforeValue, d.Target.AfterValue)
			}
			list = append(list, strings.TrimSpace(text))
		}
		return list
	}
	first := create("first", "CREATE", template(map[string]string{"A": one, "B": two}))
	if diff := cmp.Diff([]string{"Add A", "Add B"}, summary(first)); diff != "" {
		t.Error(diff)
	}
	f.must("ExecuteChangeSet", map[string]any{"StackName": "s", "ChangeSetName": "first"}, nil)
	if status := f.rest("s"); status != "CREATE_COMPLETE" {
		t.Fatal(status)
	}
	second := create("second", "UPDATE", template(map[string]string{"A": `"Properties": {"Size": 1, "Name": "x"}`, "B": two, "C": one}))
	want := []string{"Modify A True /Properties/Name:→x", "Add C", "Modify B False /Properties/Other:A:<nil>→{{changeSet:KNOWN_AFTER_APPLY}} /Properties/Size:1→{{changeSet:KNOWN_AFTER_APPLY}}"}
	if diff := cmp.Diff(want, summary(second)); diff != "" {
		t.Error(diff)
	}
	none := create("none", "UPDATE", template(map[string]string{"A": one, "B": two}))
	if none.Status != "FAILED" || !strings.HasPrefix(none.StatusReason, "The submitted information didn't contain changes.") {
		t.Errorf("%s %s", none.Status, none.StatusReason)
	}
	if err := f.call("ExecuteChangeSet", map[string]any{"StackName": "s", "ChangeSetName": "none"}, nil); wire.Code(err) != "InvalidChangeSetStatus" {
		t.Errorf("a failed change set was executed: %v", err)
	}
}

func TestExportsBlock(t *testing.T) {
	f := start(t)
	f.must("CreateStack", map[string]any{"StackName": "giver", "TemplateBody": template(map[string]string{"A": one}, `, "Outputs": {"O": {"Value": {"Ref": "A"}, "Export": {"Name": "shared"}}}`)}, nil)
	f.rest("giver")
	f.must("CreateStack", map[string]any{"StackName": "user", "TemplateBody": template(map[string]string{"A": `"Properties": {"Other": {"Fn::ImportValue": "shared"}}`})}, nil)
	if status := f.rest("user"); status != "CREATE_COMPLETE" {
		t.Fatal(status, f.events("user"))
	}
	if err := f.call("DeleteStack", map[string]any{"StackName": "giver"}, nil); err == nil || !strings.Contains(err.Error(), "Export shared cannot be deleted as it is in use by user") {
		t.Errorf("a stack whose export is used was deleted: %v", err)
	}
	var imports stacks.ImportsOutput
	f.must("ListImports", map[string]any{"ExportName": "shared"}, &imports)
	if diff := cmp.Diff([]string{"user"}, imports.Imports); diff != "" {
		t.Error(diff)
	}
}

func TestStopInTheMiddleGoesOn(t *testing.T) {
	f := start(t)
	many := map[string]string{}
	for i := range 60 {
		many[fmt.Sprintf("R%02d", i)] = one
	}
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": template(many)}, nil)
	f.engine.Close()
	f.db.Close()
	f.open()
	if err := f.engine.Resume(); err != nil {
		t.Fatal(err)
	}
	if status := f.rest("s"); status != "CREATE_COMPLETE" {
		t.Fatal(status, f.events("s"))
	}
	if got := len(f.things(t)); got != 60 {
		t.Errorf("%d things, want 60", got)
	}
	log := f.takeLog()
	slices.Sort(log)
	if got := len(slices.Compact(log)); got != len(log) {
		t.Errorf("%d creations of %d things", len(log), got)
	}
}

func TestNoEchoStaysHidden(t *testing.T) {
	f := start(t)
	body := template(map[string]string{"A": `"Properties": {"Other": {"Fn::Join": ["", ["pre-", {"Ref": "Secret"}]]}}`}, `, "Parameters": {"Secret": {"Type": "String", "NoEcho": true}}`)
	f.must("CreateStack", map[string]any{"StackName": "s", "TemplateBody": body, "Parameters": []map[string]any{{"ParameterKey": "Secret", "ParameterValue": "hunter2"}}}, nil)
	f.rest("s")
	f.must("CreateChangeSet", map[string]any{
		"StackName": "s", "ChangeSetName": "c", "TemplateBody": body,
		"Parameters": []map[string]any{{"ParameterKey": "Secret", "ParameterValue": "hunter3"}},
	}, nil)
	for operation, in := range map[string]map[string]any{
		"DescribeStacks": {"StackName": "s"}, "DescribeStackEvents": {"StackName": "s"}, "GetTemplate": {"StackName": "s"},
		"DescribeStackResources": {"StackName": "s"}, "DescribeChangeSet": {"StackName": "s", "ChangeSetName": "c", "IncludePropertyValues": true},
	} {
		var out json.RawMessage
		f.must(operation, in, &out)
		if strings.Contains(string(out), "hunter") {
			t.Errorf("%s shows the secret: %s", operation, out)
		}
	}
}
