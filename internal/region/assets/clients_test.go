package assets_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region/assets"
	"github.com/seed-615d3599/roost/internal/region/edge"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

const (
	accessKey = "AKIAIOSFODNN7EXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// oneKey knows one access key.
type oneKey struct{}

func (oneKey) Key(_ context.Context, id, _ string) (string, *wire.Caller, error) {
	if id != accessKey {
		return "", nil, wire.Errorf(403, "InvalidClientTokenId", "no such key")
	}
	return secretKey, &wire.Caller{Account: account, ARN: "arn:aws:iam::" + account + ":user/roost"}, nil
}

// serve serves an S3 behind the region's door, for real clients.
func serve(t *testing.T) (endpoint string) {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "region.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	a, err := assets.New(assets.Config{Account: account, Region: "us-east-1", DB: db, Dir: filepath.Join(t.TempDir(), "objects")})
	if err != nil {
		t.Fatal(err)
	}
	a.Service().Authorize = func(context.Context, *wire.Call, []wire.Target) error { return nil }
	server := httptest.NewServer(edge.New(edge.Config{Account: account, Region: "us-east-1", Services: []*wire.Service{a.Service()}, Access: oneKey{}}))
	t.Cleanup(server.Close)
	return server.URL
}

// environment is that of a client.
func environment(endpoint string) []string {
	clean := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	return append(clean, "AWS_ENDPOINT_URL="+endpoint, "AWS_ACCESS_KEY_ID="+accessKey, "AWS_SECRET_ACCESS_KEY="+secretKey,
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=")
}

// cli is the AWS CLI in a folder.
type cli struct {
	t        *testing.T
	path     string
	dir      string
	endpoint string
}

func (c *cli) run(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, c.path, args...)
	command.Dir, command.Env = c.dir, environment(c.endpoint)
	out, err := command.CombinedOutput()
	return string(out), err
}

func (c *cli) must(args ...string) string {
	c.t.Helper()
	out, err := c.run(args...)
	if err != nil {
		c.t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (c *cli) write(name string, data []byte) {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		c.t.Fatal(err)
	}
}

func TestCLI(t *testing.T) {
	c := &cli{t: t, path: need.Tool(t, "aws"), dir: t.TempDir(), endpoint: serve(t)}
	big := make([]byte, 20<<20) // above the CLI's limit for uploads in parts
	rand.Read(big)
	c.write("site/big.bin", big)
	c.write("site/in/a file.txt", []byte("hello"))

	c.must("s3", "mb", "s3://bucket")
	c.must("s3", "cp", "site", "s3://bucket/site", "--recursive", "--only-show-errors")
	if out := c.must("s3", "ls", "s3://bucket/site/"); !strings.Contains(out, "PRE in/") || !strings.Contains(out, "20971520 big.bin") {
		t.Errorf("ls: %s", out)
	}
	var head struct{ ETag, ContentType string }
	if err := json.Unmarshal([]byte(c.must("s3api", "head-object", "--bucket", "bucket", "--key", "site/big.bin")), &head); err != nil || !strings.HasSuffix(head.ETag, `-3"`) {
		t.Errorf("head %+v, %v", head, err)
	}
	c.must("s3", "cp", "s3://bucket/site/big.bin", "back.bin", "--only-show-errors")
	if back, err := os.ReadFile(filepath.Join(c.dir, "back.bin")); err != nil || !bytes.Equal(back, big) {
		t.Errorf("the object of three parts came back otherwise (%v)", err)
	}
	c.must("s3", "cp", "s3://bucket/site/in/a file.txt", "s3://bucket/copy.txt", "--only-show-errors")
	c.must("s3", "cp", "s3://bucket/site/big.bin", "s3://bucket/copy.bin", "--only-show-errors")
	if out := c.must("s3", "cp", "s3://bucket/copy.txt", "-"); out != "hello" {
		t.Errorf("copy: %q", out)
	}
	c.write("site/in/a file.txt", []byte("hello again"))
	if out := c.must("s3", "sync", "site", "s3://bucket/site"); !strings.Contains(out, "a file.txt") || strings.Contains(out, "big.bin") {
		t.Errorf("sync: %s", out)
	}
	if out, err := c.run("s3", "rb", "s3://bucket"); err == nil || !strings.Contains(out, "BucketNotEmpty") {
		t.Errorf("rb: %v %s", err, out)
	}
	if out, err := c.run("s3", "cp", "s3://bucket/none", "-"); err == nil || !strings.Contains(out, "404") {
		t.Errorf("a missing object: %v %s", err, out)
	}
	c.must("s3", "rm", "s3://bucket", "--recursive", "--only-show-errors")
	c.must("s3", "rb", "s3://bucket")
	if out := c.must("s3", "ls"); out != "" {
		t.Errorf("left: %s", out)
	}
}
