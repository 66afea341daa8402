package deploy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/seed-615d3599/roost/internal/assembly"
)

const cdkBucket = "cdk-hnb659fds-assets-${AWS::AccountId}-us-east-1"

// stack writes a template and an asset, and returns the stack that they make.
func stack(t *testing.T, name, template string, after ...string) *assembly.Stack {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, name+".template.json")
	asset := filepath.Join(dir, "asset.zip")
	for path, text := range map[string]string{file: template, asset: "zip of " + name} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return &assembly.Stack{ID: name, Name: name, TemplateFile: file, Region: "us-east-1", Dependencies: after,
		Assets: []*assembly.Asset{{ID: name + "-hash", Path: asset, Bucket: cdkBucket, Key: name + "-hash.zip"}}}
}

const template = `{"Resources": {"F": {"S3Bucket": "` + cdkBucket + `"}}, "Parameters": {"Secret": {}, "BootstrapVersion": {}},
 "Rules": {"CheckBootstrapVersion": {}}}`

func summary(results []Result) []string {
	var all []string
	for _, r := range results {
		line := r.Stack + ": " + string(r.Status)
		if r.Err != nil {
			line += ": " + r.Err.Error()
		}
		all = append(all, line)
	}
	return all
}

func expect(t *testing.T, results []Result, err error, want ...string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, summary(results)); diff != "" {
		t.Error(diff)
	}
}

func TestDeploy(t *testing.T) {
	f, cfg := newFake(t)
	var mu sync.Mutex
	var lines []string
	cfg.Print = func(line string) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, line)
	}
	cfg.Secret = func(name string) (string, bool) { return "value of " + name, true }
	s := stack(t, "dev-app-one", template)
	s.Secrets = []assembly.Secret{{Parameter: "Secret", Variable: "SECRET"}}
	d := New(cfg)
	results, err := d.Deploy(t.Context(), []*assembly.Stack{s})
	expect(t, results, err, "dev-app-one: deployed")
	if diff := cmp.Diff([]Pair{{"Name", "dev-app-one"}}, results[0].Outputs); diff != "" {
		t.Error(diff)
	}
	want := []string{
		"dev-app-one: deploying...",
		"dev-app-one | CREATE_COMPLETE | AWS::IAM::Role | Role",
		"dev-app-one | CREATE_COMPLETE | AWS::CloudFormation::Stack | dev-app-one",
		"\n ✅  dev-app-one\n",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	own := "roost-assets-123456789012-us-east-1"
	if f.buckets[own]["dev-app-one-hash.zip"] != "zip of dev-app-one" {
		t.Errorf("the asset is not in the bucket of Roost's own: %v", f.buckets)
	}
	made := f.stacks["dev-app-one"]
	if !strings.Contains(made.template, own) || strings.Contains(made.template, "cdk-") || strings.Contains(made.template, "Bootstrap") {
		t.Errorf("the template is %s", made.template)
	}
	if made.parameters["Secret"] != "value of SECRET" {
		t.Errorf("the parameters are %v", made.parameters)
	}

	t.Run("again, unchanged", func(t *testing.T) {
		results, err := d.Deploy(t.Context(), []*assembly.Stack{s})
		expect(t, results, err, "dev-app-one: no changes")
		if n := f.count("PUT " + own + "/dev-app-one-hash.zip"); n != 1 {
			t.Errorf("the asset was sent %d times", n)
		}
	})
	t.Run("another value of the secret", func(t *testing.T) {
		cfg.Secret = func(string) (string, bool) { return "new", true }
		results, err := New(cfg).Deploy(t.Context(), []*assembly.Stack{s})
		expect(t, results, err, "dev-app-one: deployed")
	})
	t.Run("a parameter without a value keeps the one it has", func(t *testing.T) {
		s := *s
		s.Secrets = nil
		results, err := d.Deploy(t.Context(), []*assembly.Stack{&s})
		expect(t, results, err, "dev-app-one: no changes")
	})
}

func TestBootstrappedBucket(t *testing.T) {
	f, cfg := newFake(t)
	bucket := "cdk-hnb659fds-assets-123456789012-us-east-1"
	f.buckets[bucket] = map[string]string{}
	results, err := New(cfg).Deploy(t.Context(), []*assembly.Stack{stack(t, "s", template)})
	expect(t, results, err, "s: deployed")
	if diff := cmp.Diff(map[string]string{"s-hash.zip": "zip of s"}, f.buckets[bucket]); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(f.stacks["s"].template, cdkBucket) || !strings.Contains(f.stacks["s"].template, "CheckBootstrapVersion") {
		t.Errorf("the template was changed: %s", f.stacks["s"].template)
	}
	if len(f.buckets) != 1 {
		t.Errorf("there are buckets %v", f.buckets)
	}
}

func TestLegacyAssets(t *testing.T) {
	f, cfg := newFake(t)
	s := stack(t, "s", `{"Parameters": {"B": {}, "K": {}, "H": {}}}`)
	s.Assets[0].Bucket, s.Assets[0].Key = "", ""
	s.Assets[0].Parameters = &assembly.AssetParameters{Bucket: "B", Key: "K", ArtifactHash: "H"}
	results, err := New(cfg).Deploy(t.Context(), []*assembly.Stack{s})
	expect(t, results, err, "s: deployed")
	want := map[string]string{"B": "roost-assets-123456789012-us-east-1", "K": "assets/||s-hash.zip", "H": "s-hash"}
	if diff := cmp.Diff(want, f.stacks["s"].parameters); diff != "" {
		t.Error(diff)
	}
}

func TestBigTemplate(t *testing.T) {
	f, cfg := newFake(t)
	big := `{"Description": "` + strings.Repeat("x", maxTemplateBody) + `"}`
	s := stack(t, "s", big)
	d := New(cfg)
	results, err := d.Deploy(t.Context(), []*assembly.Stack{s})
	expect(t, results, err, "s: deployed")
	if !f.noBody || f.stacks["s"].template != big {
		t.Error("the template did not come by way of the bucket")
	}
	results, err = d.Remove(t.Context(), []*assembly.Stack{s})
	expect(t, results, err, "s: removed")
	if len(f.buckets) != 0 {
		t.Errorf("the bucket is left with %v", f.buckets)
	}
}

func TestFailure(t *testing.T) {
	f, cfg := newFake(t)
	f.fails["first"] = "the role is not there"
	stacks := []*assembly.Stack{stack(t, "first", template), stack(t, "second", template, "first"), stack(t, "third", template)}
	d := New(cfg)
	results, err := d.Deploy(t.Context(), stacks)
	expect(t, results, err,
		"first: failed: Role (AWS::IAM::Role): the role is not there",
		"second: not deployed: first has failed",
		"third: deployed")
	if OK(results) {
		t.Error("a failure counts as success")
	}
	delete(f.fails, "first")
	results, err = d.Deploy(t.Context(), stacks)
	expect(t, results, err, "first: deployed", "second: deployed", "third: no changes")
	if f.count("DeleteStack first") != 1 {
		t.Error("what the failed creation left was not removed first")
	}
}

func TestOrder(t *testing.T) {
	f, cfg := newFake(t)
	stacks := []*assembly.Stack{stack(t, "a", template), stack(t, "b", template, "a"), stack(t, "c", template, "b")}
	d := New(cfg)
	if _, err := d.Deploy(t.Context(), stacks); err != nil {
		t.Fatal(err)
	}
	results, err := d.Remove(t.Context(), stacks)
	expect(t, results, err, "a: removed", "b: removed", "c: removed")
	var order []string
	for _, call := range f.calls {
		if strings.HasPrefix(call, "ExecuteChangeSet") || strings.HasPrefix(call, "DeleteStack") {
			order = append(order, call)
		}
	}
	want := []string{"ExecuteChangeSet a", "ExecuteChangeSet b", "ExecuteChangeSet c", "DeleteStack c", "DeleteStack b", "DeleteStack a"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Error(diff)
	}
}

func TestRemove(t *testing.T) {
	f, cfg := newFake(t)
	dev, prod := stack(t, "dev-app-s", template), stack(t, "prod-app-s", template)
	// Both stages have the same code.
	dev.Assets[0].Key, prod.Assets[0].Key = "same.zip", "same.zip"
	d := New(cfg)
	for _, s := range []*assembly.Stack{dev, prod} {
		if _, err := d.Deploy(t.Context(), []*assembly.Stack{s}); err != nil {
			t.Fatal(err)
		}
	}
	noted, err := d.Noted(t.Context())
	if err != nil || len(noted) != 2 {
		t.Fatalf("noted are %v, %v", noted, err)
	}
	own := "roost-assets-123456789012-us-east-1"
	results, err := d.Remove(t.Context(), []*assembly.Stack{prod})
	expect(t, results, err, "prod-app-s: removed")
	if f.buckets[own]["same.zip"] == "" || f.stacks["dev-app-s"].status != "CREATE_COMPLETE" {
		t.Error("the other stage has lost something")
	}
	results, err = d.Remove(t.Context(), []*assembly.Stack{prod})
	expect(t, results, err, "prod-app-s: not there")
	f.stacks["dev-app-s"].protected = true
	results, err = d.Remove(t.Context(), []*assembly.Stack{dev})
	expect(t, results, err, "dev-app-s: failed: stack dev-app-s is protected from deletion")
	f.stacks["dev-app-s"].protected = false
	f.fails["delete dev-app-s"] = "the bucket is not empty"
	results, err = d.Remove(t.Context(), []*assembly.Stack{dev})
	expect(t, results, err, "dev-app-s: failed: Bucket (AWS::S3::Bucket): the bucket is not empty")
	delete(f.fails, "delete dev-app-s")
	results, err = d.Remove(t.Context(), []*assembly.Stack{dev})
	expect(t, results, err, "dev-app-s: removed")
	if len(f.buckets) != 0 {
		t.Errorf("the bucket is left: %v", f.buckets)
	}
}

// What can be known beforehand is refused before anything is sent.
func TestRefused(t *testing.T) {
	for _, test := range []struct {
		name string
		edit func(*assembly.Stack)
		want string
	}{
		{"region", func(s *assembly.Stack) { s.Region = "eu-west-1" }, "stack s is for eu-west-1, not for us-east-1"},
		{"account", func(s *assembly.Stack) { s.Account = "210987654321" }, "stack s is for the account 210987654321, and the credentials are of 123456789012"},
		{"secret", func(s *assembly.Stack) { s.Secrets = []assembly.Secret{{Parameter: "P", Variable: "V"}} }, "the secret V, which stack s needs, has no value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, cfg := newFake(t)
			s := stack(t, "s", template)
			test.edit(s)
			_, err := New(cfg).Deploy(t.Context(), []*assembly.Stack{s})
			var e *Error
			if !errors.As(err, &e) || e.Error() != test.want || e.Hint() == "" {
				t.Errorf("the error is %v", err)
			}
			if len(f.calls) > 0 {
				t.Errorf("calls were made: %v", f.calls)
			}
		})
	}
}

func TestTerminationProtection(t *testing.T) {
	f, cfg := newFake(t)
	s := stack(t, "s", template)
	s.TerminationProtection = true
	results, err := New(cfg).Deploy(t.Context(), []*assembly.Stack{s})
	expect(t, results, err, "s: deployed")
	if !f.stacks["s"].protected {
		t.Error("the stack is not protected")
	}
}

// Waiting ends with the context, and says so rather than that the stack failed.
func TestInterrupted(t *testing.T) {
	f, cfg := newFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	f.stacks["s"] = &fakeStack{name: "s", status: "UPDATE_IN_PROGRESS"}
	cfg.Print = func(line string) {
		if strings.Contains(line, "under way") {
			cancel()
		}
	}
	results, err := New(cfg).Deploy(ctx, []*assembly.Stack{stack(t, "s", template)})
	if err != nil || !errors.Is(results[0].Err, context.Canceled) {
		t.Errorf("it ended with %v, %v", results, err)
	}
}

func TestManyStacksAtOnce(t *testing.T) {
	_, cfg := newFake(t)
	var stacks []*assembly.Stack
	var want []string
	for i := range 20 {
		name := fmt.Sprintf("s%02d", i)
		stacks = append(stacks, stack(t, name, template))
		want = append(want, name+": deployed")
	}
	slices.SortFunc(stacks, func(a, b *assembly.Stack) int { return strings.Compare(a.Name, b.Name) })
	results, err := New(cfg).Deploy(t.Context(), stacks)
	expect(t, results, err, want...)
}

// stuck is a transport whose code uploads end only when they are given up, and
// whose templates are refused once code is on its way.
type stuck struct {
	http.RoundTripper
	begun sync.Once
	code  chan struct{} // closed when code is on its way
}

func (s *stuck) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case strings.HasSuffix(r.URL.Path, ".zip"):
		s.begun.Do(func() { close(s.code) })
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-time.After(time.Minute):
			return nil, errors.New("nobody gave the upload up")
		}
	case strings.HasSuffix(r.URL.Path, "nested.json"):
		<-s.code
		return &http.Response{StatusCode: http.StatusForbidden, Body: http.NoBody, Request: r}, nil
	}
	return s.RoundTripper.RoundTrip(r)
}

// Code that is on its way is given up when a template cannot be sent.
func TestATemplateThatCannotBeSent(t *testing.T) {
	_, cfg := newFake(t)
	cfg.AWS.HTTPClient = &http.Client{Transport: &stuck{RoundTripper: http.DefaultTransport, code: make(chan struct{})}}
	d := New(cfg)
	s := stack(t, "one", template)
	s.Assets = append(s.Assets, &assembly.Asset{ID: "nested", Path: s.TemplateFile, Bucket: cdkBucket, Key: "nested.json"})
	sent, err := d.upload(t.Context(), bucket{name: "b", own: true}, []*assembly.Stack{s})
	if err == nil || !strings.Contains(err.Error(), "nested.json") {
		t.Errorf("the error is %v", err)
	}
	if err := sent(); !errors.Is(err, context.Canceled) {
		t.Errorf("the code's upload ended with %v", err)
	}
}

// Large templates are where the region's S3 is, in China too.
func TestWhereTemplatesAre(t *testing.T) {
	f, cfg := newFake(t)
	f.buckets["b"] = map[string]string{}
	for region, want := range map[string]string{"eu-west-1": "https://s3.eu-west-1.amazonaws.com/b/", "cn-north-1": "https://s3.cn-north-1.amazonaws.com.cn/b/"} {
		d := New(cfg)
		d.cfg.AWS.Region, d.cfg.AWS.BaseEndpoint = region, nil // the fake still gets it
		if _, url, err := d.uploadTemplate(t.Context(), bucket{name: "b", own: true}, []byte("{}")); err != nil || !strings.HasPrefix(url, want) {
			t.Errorf("%s: %s, %v", region, url, err)
		}
	}
}

// The change set that guards a stack serves to carry the deployment out, but where
// a stack that it depends on has changed; and none is left.
func TestGuardsServe(t *testing.T) {
	f, cfg := newFake(t)
	d := New(cfg)
	stacks := func(one, two, three string) []*assembly.Stack {
		return []*assembly.Stack{stack(t, "one", one), stack(t, "two", two, "one"), stack(t, "three", three)}
	}
	const other = `{"Resources": {"G": {}}}`
	deploy := func(made int, all []*assembly.Stack, want ...string) {
		t.Helper()
		created, deleted, executed := f.count("CreateChangeSet"), f.count("DeleteChangeSet"), f.count("ExecuteChangeSet")
		results, err := d.Deploy(t.Context(), all)
		expect(t, results, err, want...)
		created, deleted, executed = f.count("CreateChangeSet")-created, f.count("DeleteChangeSet")-deleted, f.count("ExecuteChangeSet")-executed
		if created != made || deleted+executed != made {
			t.Errorf("%d change sets were made, want %d; %d were deleted and %d carried out", created, made, deleted, executed)
		}
	}
	deploy(3, stacks(template, template, template), "one: deployed", "two: deployed", "three: deployed")
	deploy(3, stacks(template, template, template), "one: no changes", "two: no changes", "three: no changes")
	deploy(3, stacks(template, other, other), "one: no changes", "two: deployed", "three: deployed")
	deploy(4, stacks(other, template, template), "one: deployed", "two: deployed", "three: deployed")
	f.fails["one"] = "as asked"
	deploy(3, stacks(template, other, template), "one: failed: Role (AWS::IAM::Role): as asked", "two: not deployed: one has failed", "three: no changes")
}
