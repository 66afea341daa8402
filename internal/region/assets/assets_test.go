package assets_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/assets"
	"github.com/seed-615d3599/roost/internal/region/assets/front"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

const account = "123456789012"

// region is an S3 with one caller, who may do everything but what denied says.
type region struct {
	t      *testing.T
	assets *assets.Assets
	dir    string
	db     *store.DB
	now    time.Time
	asked  []wire.Target
	denied []string // actions
}

func start(t *testing.T) *region {
	t.Helper()
	r := &region{t: t, dir: filepath.Join(t.TempDir(), "objects"), now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	db, err := store.Open(filepath.Join(t.TempDir(), "region.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	r.db = db
	r.open()
	return r
}

// open opens the service on what there is, as a restart does.
func (r *region) open() {
	r.t.Helper()
	a, err := assets.New(assets.Config{Account: account, Region: "us-east-1", DB: r.db, Dir: r.dir, Now: func() time.Time { return r.now }})
	if err != nil {
		r.t.Fatal(err)
	}
	a.Service().Authorize = func(_ context.Context, _ *wire.Call, targets []wire.Target) error {
		r.asked = append(r.asked, targets...)
		for _, target := range targets {
			if slices.Contains(r.denied, target.Action) {
				return wire.Errorf(403, "AccessDenied", "not %s on %s", target.Action, target.Resource)
			}
		}
		return nil
	}
	r.assets = a
}

// answer is an answer.
type answer struct {
	code   int
	body   string
	header http.Header
}

// do sends a request. headers are "Name: value".
func (r *region) do(method, target, body string, headers ...string) answer {
	r.t.Helper()
	request := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	return r.send(request)
}

func (r *region) send(request *http.Request) answer {
	r.t.Helper()
	w := httptest.NewRecorder()
	service := r.assets.Service()
	in, err := service.Resolve(request, nil)
	if err != nil {
		service.WriteError(w, "id", err)
		return answer{w.Code, w.Body.String(), w.Header()}
	}
	if !in.Streams() {
		data, err := io.ReadAll(request.Body)
		if err != nil {
			r.t.Fatal(err)
		}
		in.SetBody(data)
	}
	service.Respond(r.t.Context(), w, &wire.Call{Account: account, Region: "us-east-1", RequestID: "id"}, in)
	header := http.Header{}
	for name, values := range w.Header() {
		header[http.CanonicalHeaderKey(name)] = values
	}
	return answer{w.Code, w.Body.String(), header}
}

// must sends a request that succeeds.
func (r *region) must(method, target, body string, headers ...string) answer {
	r.t.Helper()
	got := r.do(method, target, body, headers...)
	if got.code/100 != 2 {
		r.t.Fatalf("%s %s: %d %s", method, target, got.code, got.body)
	}
	return got
}

func TestObjectsComeBackAsTheyWent(t *testing.T) {
	r := start(t)
	r.must("PUT", "/bucket", "")
	put := r.must("PUT", "/bucket/a/b%20c.txt", "hello", "Content-Type: text/plain", "x-amz-meta-Colour: blue", "x-amz-tagging: k=v")
	if got := put.header.Get("ETag"); got != `"5d41402abc4b2a76b9719d911017c592"` {
		t.Errorf("ETag %s", got)
	}
	get := r.must("GET", "/bucket/a/b%20c.txt", "", "x-amz-checksum-mode: ENABLED")
	for name, want := range map[string]string{
		"Content-Type": "text/plain", "x-amz-meta-colour": "blue", "x-amz-tagging-count": "1", "Content-Length": "5",
		"x-amz-server-side-encryption": "AES256", "x-amz-checksum-crc64nvme": put.header.Get("x-amz-checksum-crc64nvme"),
		"Last-Modified": "Sun, 22 Nov 2026 12:00:00 GMT", "Accept-Ranges": "bytes",
	} {
		if got := get.header.Get(name); got != want || want == "" {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if get.body != "hello" {
		t.Errorf("body %q", get.body)
	}
	body, err := r.assets.Object(t.Context(), &wire.Caller{}, "bucket", "a/b c.txt", "")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if data, _ := io.ReadAll(body); string(data) != "hello" {
		t.Errorf("Object: %q", data)
	}
	list := r.must("GET", "/bucket?list-type=2&delimiter=/&prefix=a/", "")
	if !strings.Contains(list.body, "<Key>a/b c.txt</Key>") || !strings.Contains(list.body, "<KeyCount>1</KeyCount>") {
		t.Error(list.body)
	}
	if got := r.do("DELETE", "/bucket", ""); got.code != 409 || !strings.Contains(got.body, "<Code>BucketNotEmpty</Code><Message>The bucket you tried to delete is not empty</Message>") {
		t.Errorf("%d %s", got.code, got.body)
	}
	r.must("DELETE", "/bucket/a/b%20c.txt", "")
	r.must("DELETE", "/bucket", "")
}

// The names of metadata come in lower case, as S3 sends them: boto3 shows them to
// the program as they come.
func TestMetadataKeepsLowerCase(t *testing.T) {
	r := start(t)
	r.must("PUT", "/bucket", "")
	r.must("PUT", "/bucket/key", "", "X-Amz-Meta-Colour: blue")
	request, w := httptest.NewRequest("GET", "/bucket/key", nil), httptest.NewRecorder()
	in, err := r.assets.Service().Resolve(request, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.assets.Service().Respond(t.Context(), w, &wire.Call{Account: account, Region: "us-east-1", RequestID: "id"}, in); err != nil {
		t.Fatal(err)
	}
	const colour = front.MetaPrefix + "colour" // as it is sent: Header.Get would ask for X-Amz-Meta-Colour
	if got := map[string][]string(w.Header())[colour]; !slices.Equal(got, []string{"blue"}) {
		t.Errorf("got %q in %v", got, w.Header())
	}
}
