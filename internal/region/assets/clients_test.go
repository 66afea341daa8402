package assets_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

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
func serve(t *testing.T) *httptest.Server {
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
	server := httptest.NewTLSServer(edge.New(edge.Config{Account: account, Region: "us-east-1", Services: []*wire.Service{a.Service()}, Access: oneKey{}}))
	t.Cleanup(server.Close)
	return server
}

// environment is that of a client. With TLS the clients send checksums behind
// the body.
func environment(t *testing.T, server *httptest.Server) []string {
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(bundle, block, 0o600); err != nil {
		t.Fatal(err)
	}
	clean := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	return append(clean, "AWS_ENDPOINT_URL="+server.URL, "AWS_CA_BUNDLE="+bundle, "NODE_EXTRA_CA_CERTS="+bundle, "AWS_ACCESS_KEY_ID="+accessKey, "AWS_SECRET_ACCESS_KEY="+secretKey,
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=")
}

// cli is the AWS CLI in a folder.
type cli struct {
	t           *testing.T
	path        string
	dir         string
	environment []string
}

func (c *cli) run(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, c.path, args...)
	command.Dir, command.Env = c.dir, c.environment
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
	c := &cli{t: t, path: need.Tool(t, "aws"), dir: t.TempDir(), environment: environment(t, serve(t))}
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

// unseekable is a body that cannot be read twice, so that its checksum comes
// behind it.
type unseekable struct{ io.Reader }

func TestGoSDK(t *testing.T) {
	server := serve(t)
	client := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, UsePathStyle: true, HTTPClient: server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, ""),
	})
	ctx := t.Context()
	bucket, key := aws.String("bucket"), aws.String("a b/ü+%.txt")
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	var missing *types.NoSuchKey
	if _, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key}); !errors.As(err, &missing) {
		t.Errorf("a missing object: %v", err)
	}
	body := strings.Repeat("hello ", 50000)
	if _, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: unseekable{strings.NewReader(body)}, ContentLength: aws.Int64(int64(len(body))), ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c}); err != nil {
		t.Fatal(err)
	}
	got, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(got.Body) // which compares the checksum
	if err != nil || string(data) != body || aws.ToString(got.ChecksumCRC32C) == "" {
		t.Errorf("%d bytes came back (%v), checksum %q", len(data), err, aws.ToString(got.ChecksumCRC32C))
	}
	list, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket})
	if err != nil || len(list.Contents) != 1 || *list.Contents[0].Key != *key || *list.Contents[0].Size != int64(len(body)) {
		t.Errorf("the list: %+v %v", list, err)
	}
	presigned(t, server, s3.NewPresignClient(client))
	if _, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: key}, {Key: aws.String("signed")}}}}); err != nil {
		t.Error(err)
	}
	if _, err := client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: bucket}); err != nil {
		t.Error(err)
	}
}

// presigned puts and gets an object by signed URLs.
func presigned(t *testing.T, server *httptest.Server, client *s3.PresignClient) {
	t.Helper()
	bucket, key := aws.String("bucket"), aws.String("signed")
	put, err := client.PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key, ContentType: aws.String("text/plain")})
	if err != nil {
		t.Fatal(err)
	}
	get, err := client.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: key, ResponseContentType: aws.String("text/html")})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		method, url, body string
		header            http.Header
		code              int
		want              string
	}{
		{put.Method, put.URL, "by URL", put.SignedHeader, 200, ""},
		{get.Method, get.URL, "", get.SignedHeader, 200, "by URL"},
		{get.Method, strings.Replace(get.URL, "text%2Fhtml", "text%2Fplain", 1), "", get.SignedHeader, 403, "SignatureDoesNotMatch"},
		{"GET", server.URL + "/bucket/signed", "", nil, 403, "AccessDenied"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), step.method, step.url, strings.NewReader(step.body))
		if err != nil {
			t.Fatal(err)
		}
		for name, values := range step.header {
			request.Header[name] = values
		}
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		data, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != step.code || !strings.Contains(string(data), step.want) {
			t.Errorf("%s %s: %d %s, want %d with %s", step.method, step.url, response.StatusCode, data, step.code, step.want)
		}
	}
}

const script = `
const { S3Client, PutObjectCommand, GetObjectCommand, CreateBucketCommand, ListObjectsV2Command } = require('@aws-sdk/client-s3');
(async () => {
  const s3 = new S3Client({ forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'bucket' }));
  await s3.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'a/ü b', Body: 'hello', Metadata: { k: 'v' } }));
  const got = await s3.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'a/ü b' }));
  const list = await s3.send(new ListObjectsV2Command({ Bucket: 'bucket', Delimiter: '/' }));
  const missing = await s3.send(new GetObjectCommand({ Bucket: 'bucket', Key: 'none' })).catch((e) => e.name);
  console.log(JSON.stringify([await got.Body.transformToString(), got.Metadata.k, list.CommonPrefixes[0].Prefix, missing]));
})().catch((e) => { console.error(e); process.exit(1); });
`

func TestJavaScriptSDK(t *testing.T) {
	need.NodeModule(t, "@aws-sdk/client-s3")
	command := exec.CommandContext(t.Context(), need.Tool(t, "node"), "-e", script)
	command.Dir, command.Env = need.Tools(t), environment(t, serve(t))
	out, err := command.Output()
	if want := `["hello","v","a/","NoSuchKey"]`; err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("%s %v, want %s", out, err, want)
	}
}
