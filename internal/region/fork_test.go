package region_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/region"
	"github.com/seed-615d3599/roost/sigv4"
)

// s3 asks a region's S3 as its administrator, and returns the answer's body.
func (r *opened) s3(method, path, body string) string {
	r.t.Helper()
	request, err := http.NewRequest(method, r.Endpoint+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	signer := sigv4.Signer{S3: true, Service: "s3", Region: r.Name, Credentials: sigv4.Credentials{AccessKeyID: r.AccessKeyID, SecretAccessKey: r.SecretAccessKey}}
	if err := signer.Sign(request, ""); err != nil {
		r.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 300 {
		r.t.Fatalf("%s %s: %s %s %v", method, path, response.Status, got, err)
	}
	return string(got)
}

// What is in a bucket as a fork begins stays there, whatever becomes of it in the
// original and in another fork.
func TestForksKeepTheirObjects(t *testing.T) {
	original := open(t, region.Config{Dir: t.TempDir()})
	original.s3(http.MethodPut, "/objects", "")
	original.s3(http.MethodPut, "/objects/k", "content")
	var forks []*opened
	for range 2 {
		fork, err := original.Fork(t.Context(), region.Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := fork.Close(); err != nil {
				t.Error(err)
			}
		})
		forks = append(forks, &opened{Region: fork, t: t})
	}
	forks[0].s3(http.MethodDelete, "/objects/k", "")
	original.s3(http.MethodDelete, "/objects/k", "")
	if got := forks[1].s3(http.MethodGet, "/objects/k", ""); got != "content" {
		t.Errorf("the object is %q", got)
	}
}
