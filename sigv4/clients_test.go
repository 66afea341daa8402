package sigv4_test

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
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/sigv4"
	"github.com/seed-615d3599/roost/sigv4/s3body"
)

// door is a server that does nothing but verify, and remembers.
type door struct {
	*httptest.Server
	mu   sync.Mutex
	seen []visit
}

type visit struct {
	what      string
	err       error
	diagnosis string
	payload   string // declared hash or marker
	length    int
}

func openDoor(t *testing.T) *door {
	t.Helper()
	d := &door{}
	d.Server = httptest.NewServer(d)
	t.Cleanup(d.Close)
	return d
}

func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := verifyArrived(r)
	d.mu.Lock()
	d.seen = append(d.seen, v)
	d.mu.Unlock()
	w.Header().Set("ETag", `"0"`)
	if v.err != nil {
		w.WriteHeader(http.StatusForbidden)
	}
}

// verifyArrived verifies a request for whatever service it is signed for.
func verifyArrived(r *http.Request) visit {
	arrived := sigv4.FromHTTP(r)
	scope, _ := sigv4.PeekScope(&arrived)
	verifier := sigv4.Verifier{Service: scope.Service, Regions: []string{"us-east-1"}, S3: scope.Service == "s3"}
	out := visit{what: scope.Service + " " + r.Method + " " + r.RequestURI}
	if !verifier.S3 {
		if arrived.Body, arrived.PayloadHash, out.err = sigv4.ReadBody(r.Body, 1<<20); out.err != nil {
			return out
		}
	}
	sig, err := verifier.Verify(&arrived, keys)
	out.err, out.payload, out.length = err, sig.PayloadHash, len(arrived.Body)
	if err != nil {
		out.diagnosis = verifier.Diagnose(&arrived, keys).Sentence
	} else if verifier.S3 {
		n, err := io.Copy(io.Discard, s3body.New(&sig, r.Body))
		out.length, out.err = int(n), err
	}
	return out
}

// accepted checks that there were at least that many requests, all accepted.
func (d *door) accepted(t *testing.T, atLeast int) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, v := range d.seen {
		if v.err != nil {
			t.Errorf("%s: %v: %s", v.what, v.err, v.diagnosis)
		}
	}
	if len(d.seen) < atLeast {
		t.Errorf("only %d requests came, want %d", len(d.seen), atLeast)
	}
}

// targets are signed by every client: reserved characters, escapes, and queries
// that are out of order, repeated or empty. None needs to be normalised, which
// aws-sdk-go-v2 does not do.
var targets = []string{
	"/", "/prod/items", "/prod/items/", "/test/@connections/JBDvjfGEIAMCERw%3D",
	"/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af/invocations",
	"/a%20b/c%2Fd/%E1%88%B4/e~f_g-h.i", "/a+b/c,d;e=f!g$h&i'j(k)l*m:n@o",
	"/?b=2&a=1", "/?a=2&a=1&a=10", "/?a-b=1&a=2&A=3", "/?empty=&x=%20%2B%2F%3D%26", "/?key=%E1%88%B4&k%20k=v",
}

func TestGoSDK(t *testing.T) {
	d := openDoor(t)
	signer := v4.NewSigner()
	temporary := aws.Credentials{AccessKeyID: tokenID, SecretAccessKey: tokenSecret, SessionToken: testerToken}
	for _, target := range targets {
		for _, c := range []aws.Credentials{{AccessKeyID: testerID, SecretAccessKey: testerSecret}, temporary} {
			for _, body := range []string{"", `{"hello":"world"}`} {
				r := post(t, d.URL+target, body)
				if err := signer.SignHTTP(context.Background(), c, r, sigv4.HashPayload([]byte(body)), "execute-api", "us-east-1", time.Now()); err != nil {
					t.Fatal(err)
				}
				send(t, r)
				r = post(t, d.URL+target, body)
				r.URL.RawQuery = strings.Trim(r.URL.RawQuery+"&X-Amz-Expires=60", "&")
				signed, headers, err := signer.PresignHTTP(context.Background(), c, r, sigv4.HashPayload([]byte(body)), "execute-api", "us-east-1", time.Now())
				if err != nil {
					t.Fatal(err)
				}
				r = post(t, signed, body)
				for name := range headers {
					r.Header[name] = headers[name]
				}
				send(t, r)
			}
		}
	}
	d.accepted(t, 8*len(targets))
}

func post(t *testing.T, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequest("POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Add("X-Twice", "one")
	r.Header.Add("X-Twice", "  two   and  a half ")
	return r
}

func send(t *testing.T, r *http.Request) {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
}

// TestOwnSigner sends what Signer signs through net/http and back.
func TestOwnSigner(t *testing.T) {
	d := openDoor(t)
	for _, target := range targets {
		for _, s3 := range []bool{false, true} {
			s := tester()
			s.Now = nil
			if withToken(&s); s3 {
				s.S3, s.Service = true, "s3"
			}
			r := post(t, d.URL+target, "body")
			if err := s.Sign(r, ""); err != nil {
				t.Fatal(err)
			}
			send(t, r)
			r = post(t, d.URL+target, "body")
			signed, err := s.Presign(r, "", time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			r.URL = signed
			send(t, r)
		}
	}
	d.accepted(t, 4*len(targets))
}

// TestGoSDKForS3 sends objects in clear, with their hash, and over TLS, in chunks
// with a checksum after them.
func TestGoSDKForS3(t *testing.T) {
	for _, tls := range []bool{false, true} {
		d := openDoor(t)
		if tls {
			d.Server = httptest.NewTLSServer(d)
			t.Cleanup(d.Server.Close)
		}
		sendObjects(t, d)
		d.accepted(t, 16)
		if (d.seen[0].payload == sigv4.PayloadStreamingUnsignedTrailer) != tls || d.seen[0].length != len("hello") {
			t.Errorf("TLS %v: the payload is %s of %d bytes", tls, d.seen[0].payload, d.seen[0].length)
		}
	}
}

func sendObjects(t *testing.T, d *door) {
	t.Helper()
	client := s3.New(s3.Options{
		Region: "us-east-1", HTTPClient: d.Client(), RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported, BaseEndpoint: aws.String(d.URL), UsePathStyle: true, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(tokenID, tokenSecret, testerToken),
	})
	ctx := context.Background()
	for _, key := range []string{"plain.txt", "a b/c+d/é@:!$'()*,;=&", "dots/../here", "//two"} {
		body := io.Reader(strings.NewReader("hello"))
		if strings.HasPrefix(d.URL, "https:") {
			body = io.MultiReader(body) // what cannot be rewound is sent in chunks
		}
		if _, err := client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String(key), Body: body, ContentLength: aws.Int64(5)}); err != nil {
			t.Error(err)
		}
		if _, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("bucket"), Key: aws.String(key)}); err != nil {
			t.Error(err)
		}
		presigner := s3.NewPresignClient(client)
		for _, sign := range []func() (*v4.PresignedHTTPRequest, error){
			func() (*v4.PresignedHTTPRequest, error) {
				return presigner.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String(key)})
			},
			func() (*v4.PresignedHTTPRequest, error) {
				return presigner.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String(key)})
			},
		} {
			signed, err := sign()
			if err != nil {
				t.Fatal(err)
			}
			r, err := http.NewRequest(signed.Method, signed.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := d.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
		}
	}
}

// TestBotocore has botocore's signers and boto3's clients sign and send.
func TestBotocore(t *testing.T) {
	python := need.Tool(t, "python3")
	if err := exec.Command(python, "-c", "import boto3").Run(); err != nil {
		need.Missing(t, "boto3 is not installed: run make tools")
	}
	d := openDoor(t)
	runClient(t, d, python, filepath.Join("testdata", "clients", "boto.py"))
	d.accepted(t, 4*len(targets)+6)
}

// TestJavaScriptSDK has the signer of the AWS SDK for JavaScript v3 sign.
func TestJavaScriptSDK(t *testing.T) {
	node, module := need.Tool(t, "node"), need.NodeModule(t, "@smithy/signature-v4")
	need.NodeModule(t, "@aws-crypto/sha256-js")
	script, err := os.ReadFile(filepath.Join("testdata", "clients", "smithy.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	// Node looks for packages above the script's own folder.
	dir, err := os.MkdirTemp(filepath.Dir(filepath.Dir(filepath.Dir(module))), "sigv4-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "smithy.mjs")
	if err := os.WriteFile(path, script, 0o600); err != nil {
		t.Fatal(err)
	}
	d := openDoor(t)
	runClient(t, d, node, path)
	d.accepted(t, 4*len(targets))
}

// TestAWSCLI uploads with "aws s3 cp" and calls a service whose path has an ARN.
func TestAWSCLI(t *testing.T) {
	cli := need.Tool(t, "aws")
	d := openDoor(t)
	file := filepath.Join(t.TempDir(), "file.txt")
	if err := os.WriteFile(file, []byte(strings.Repeat("roost ", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	runClient(t, d, cli, "s3", "cp", file, "s3://bucket/a b/c+d=é.txt")
	runClient(t, d, cli, "sts", "get-caller-identity")
	runClient(t, d, cli, "lambda", "get-function", "--function-name", "arn:aws:lambda:us-east-1:123456789012:function:f")
	d.accepted(t, 3)
}

// runClient runs a program that sends requests to the door. How the program
// likes the empty answers does not matter.
func runClient(t *testing.T, d *door, name string, args ...string) {
	t.Helper()
	list, err := json.Marshal(targets)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, name, args...)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LANG=C.UTF-8"},
		"ENDPOINT="+d.URL, "TARGETS="+string(list),
		"AWS_ENDPOINT_URL="+d.URL, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_MAX_ATTEMPTS=1",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID="+tokenID, "AWS_SECRET_ACCESS_KEY="+tokenSecret, "AWS_SESSION_TOKEN="+testerToken,
	)
	if out, err := command.CombinedOutput(); err != nil {
		t.Logf("%s: %v: %s", name, err, out)
	}
}

// TestCurl has curl sign. Versions before 8 sign the path and the query as they
// are typed; AWS refuses those that are not in the canonical form already, and so
// do we, and say why.
func TestCurl(t *testing.T) {
	curl := need.Tool(t, "curl")
	version, err := exec.Command(curl, "--version").Output()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		target string
		fault  string // of a curl before version 8
	}{
		{"/", ""},
		{"/prod/items", ""},
		{"/prod/items?a=1&b=2", ""},
		{"/prod/items?b=2&a=1", "the query was"},
		{"/a%20b", "the path was encoded once"},
		{"/a%20b?b=2&a=1", "the path was encoded once; every service but S3 has it encoded twice, and the query was"},
	}
	for _, test := range tests {
		t.Run(test.target, func(t *testing.T) {
			d := openDoor(t)
			runClient(t, d, curl, "-sS", "--aws-sigv4", "aws:amz:us-east-1:execute-api", "--user", testerID+":"+testerSecret, d.URL+test.target)
			runClient(t, d, curl, "-sS", "--aws-sigv4", "aws:amz:us-east-1:execute-api", "--user", tokenID+":"+tokenSecret, "-H", "X-Amz-Security-Token: "+testerToken, "-d", "a=1", d.URL+test.target)
			if test.fault == "" || !strings.HasPrefix(string(version), "curl 7.") {
				d.accepted(t, 2)
				return
			}
			for _, v := range d.seen {
				if v.err == nil || !strings.HasPrefix(v.diagnosis, test.fault) || !strings.Contains(v.diagnosis, "curl/7.") {
					t.Errorf("%v: %s", v.err, v.diagnosis)
				}
			}
		})
	}
}

func Example() {
	now := func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }
	r, _ := http.NewRequest("GET", "https://abc.execute-api.eu-west-1.amazonaws.com/private", nil)
	signer := sigv4.Signer{Credentials: sigv4.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"},
		Service: "execute-api", Region: "eu-west-1", Now: now}
	if err := signer.Sign(r, ""); err != nil {
		fmt.Println(err)
	}

	arrived := sigv4.FromHTTP(r)
	verifier := sigv4.Verifier{Service: "execute-api", Regions: []string{"eu-west-1"}, Now: now}
	key := func(accessKeyID, sessionToken string) (string, error) { return "secret", nil }
	sig, err := verifier.Verify(&arrived, key)
	fmt.Println(sig.AccessKeyID, err)

	arrived.Method = "DELETE"
	if _, err := verifier.Verify(&arrived, key); err != nil {
		fmt.Println(verifier.Diagnose(&arrived, key).Sentence)
	}
	// Output:
	// AKIDEXAMPLE <nil>
	// the method was signed as GET and arrived as DELETE
}
