package assets_test

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// files are the names in the folder of contents.
func (r *region) files() []string {
	r.t.Helper()
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		r.t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
		if info, err := entry.Info(); err != nil || info.Mode().Perm() != 0o600 {
			r.t.Errorf("%s has the mode %v (%v)", entry.Name(), info.Mode(), err)
		}
	}
	return names
}

func between(t *testing.T, text, before, after string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, before)
	inside, _, ok2 := strings.Cut(rest, after)
	if !ok || !ok2 {
		t.Fatalf("%s has nothing between %s and %s", text, before, after)
	}
	return inside
}

func TestVersions(t *testing.T) {
	r := start(t)
	r.must("PUT", "/bucket", "")
	r.must("PUT", "/bucket/key", "zero")
	r.must("PUT", "/bucket?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
	one := r.must("PUT", "/bucket/key", "one").header.Get("x-amz-version-id")
	two := r.must("PUT", "/bucket/key", "two").header.Get("x-amz-version-id")
	if one == "" || one == two {
		t.Fatalf("versions %q and %q", one, two)
	}
	marker := r.must("DELETE", "/bucket/key", "")
	gone := marker.header.Get("x-amz-version-id")
	if marker.header.Get("x-amz-delete-marker") != "true" || gone == "" {
		t.Errorf("deleting answered %v", marker.header)
	}
	r.run([]step{
		{"GET", "/bucket/key", "", nil, 404, w("NoSuchKey", "x-amz-delete-marker: true", "x-amz-version-id: "+gone)},
		{"GET", "/bucket/key?versionId=" + gone, "", nil, 405, w("MethodNotAllowed", "x-amz-delete-marker: true", "Allow: DELETE")},
		{"GET", "/bucket/key?versionId=" + one, "", nil, 200, w("one", "x-amz-version-id: "+one)},
		{"GET", "/bucket/key?versionId=null", "", nil, 200, w("zero")},
		{"GET", "/bucket/key?versionId=none", "", nil, 404, w("NoSuchVersion")},
		{"GET", "/bucket?list-type=2", "", nil, 200, w("<KeyCount>0</KeyCount>")},
		{"GET", "/bucket?versions", "", nil, 200, w("<DeleteMarker><Key>key</Key><VersionId>" + gone + "</VersionId><IsLatest>true</IsLatest>")},
		{"GET", "/bucket?versions&max-keys=2", "", nil, 200, w("<IsTruncated>true</IsTruncated>", "<NextVersionIdMarker>"+two+"</NextVersionIdMarker>")},
		{"GET", "/bucket?versions&key-marker=key&version-id-marker=" + two, "", nil, 200, w("<Version><Key>key</Key><VersionId>" + one + "</VersionId><IsLatest>false</IsLatest>")},
		{"DELETE", "/bucket", "", nil, 409, w("You must delete all versions in the bucket.")},
		{"DELETE", "/bucket/key?versionId=" + gone, "", nil, 204, w("x-amz-delete-marker: true")},
		{"GET", "/bucket/key", "", nil, 200, w("two")},
		{"DELETE", "/bucket/key?versionId=" + two, "", nil, 204, w("x-amz-version-id: " + two)},
		{"GET", "/bucket/key", "", nil, 200, w("one")},
		{"PUT", "/bucket?versioning", "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>", nil, 200, w("")},
		{"PUT", "/bucket/key", "three", nil, 200, w("")},
		{"GET", "/bucket/key?versionId=null", "", nil, 200, w("three")},
		{"DELETE", "/bucket/key", "", nil, 204, w("x-amz-delete-marker: true", "x-amz-version-id: null")},
		{"GET", "/bucket/key?versionId=null", "", nil, 405, w("")},
		{"POST", "/bucket?delete", "<Delete><Object><Key>key</Key><VersionId>null</VersionId></Object><Object><Key>key</Key><VersionId>" + one + "</VersionId></Object></Delete>", nil, 200, w("<VersionId>" + one + "</VersionId>")},
		{"DELETE", "/bucket", "", nil, 204, w("")},
	})
	if left := r.files(); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestUploadsInParts(t *testing.T) {
	r := start(t)
	r.must("PUT", "/bucket", "")
	first := strings.Repeat("a", 5<<20)
	created := r.must("POST", "/bucket/key?uploads", "", "Content-Type: text/plain", "x-amz-meta-k: v")
	upload := "/bucket/key?uploadId=" + between(t, created.body, "<UploadId>", "</UploadId>")
	one := r.must("PUT", upload+"&partNumber=1", first).header.Get("ETag")
	r.must("PUT", upload+"&partNumber=3", "replaced")
	two := r.must("PUT", upload+"&partNumber=3", "the end", "x-amz-checksum-crc32: b7Eb0Q==").header.Get("ETag") // as the SDK for Java does
	small := r.must("PUT", upload+"&partNumber=2", "small").header.Get("ETag")
	list := func(parts ...string) string {
		var b strings.Builder
		for i := 0; i < len(parts); i += 2 {
			fmt.Fprintf(&b, "<Part><PartNumber>%s</PartNumber><ETag>%s</ETag></Part>", parts[i], strings.ReplaceAll(parts[i+1], `"`, "&quot;"))
		}
		return "<CompleteMultipartUpload>" + b.String() + "</CompleteMultipartUpload>"
	}
	r.run([]step{
		{"GET", "/bucket/key", "", nil, 404, w("NoSuchKey")},
		{"GET", "/bucket?uploads", "", nil, 200, w("<Upload><Key>key</Key>")},
		{"GET", upload, "", nil, 200, w("<PartNumber>3</PartNumber>", "<Size>7</Size>", "<NextPartNumberMarker>3</NextPartNumberMarker>")},
		{"GET", upload + "&max-parts=1", "", nil, 200, w("<IsTruncated>true</IsTruncated>")},
		{"PUT", upload + "&partNumber=3", "The end", h("x-amz-checksum-crc32: b7Eb0Q=="), 400, w("<Code>BadDigest</Code><Message>The CRC32 you")},
		{"PUT", upload + "&partNumber=0", "x", nil, 400, w("Part number must be an integer between 1 and 10000, inclusive")},
		{"PUT", "/bucket/key?uploadId=none&partNumber=1", "x", nil, 404, w("<Code>NoSuchUpload</Code>")},
		{"POST", upload, list(), nil, 400, w("MalformedXML")},
		{"POST", upload, list("3", two, "1", one), nil, 400, w("<Code>InvalidPartOrder</Code>")},
		{"POST", upload, list("1", one, "4", two), nil, 400, w("<Code>InvalidPart</Code>")},
		{"POST", upload, list("1", two, "3", two), nil, 400, w("<Code>InvalidPart</Code>")},
		{"POST", upload, list("1", one, "2", small, "3", two), nil, 400, w("<Code>EntityTooSmall</Code><Message>Your proposed upload is smaller than the minimum allowed size</Message>")},
		{"POST", upload, list("1", one, "3", two), h("x-amz-mp-object-size: 7"), 400, w("does not match what was computed")},
		{"POST", upload, list("1", one, "3", two), h("x-amz-checksum-crc64nvme: AAAAAAAAAAA="), 400, w("BadDigest")},
		{"POST", upload, list("1", one, "3", two), nil, 200, w("<CompleteMultipartUploadResult", "-2&#34;</ETag>", "<ChecksumType>FULL_OBJECT</ChecksumType>")},
		{"POST", upload, list("1", one, "3", two), nil, 404, w("NoSuchUpload")},
		{"GET", "/bucket/key?partNumber=2", "", nil, 206, w("the end", "x-amz-mp-parts-count: 2", "Content-Range: bytes 5242880-5242886/5242887")},
		{"GET", "/bucket/key", "", h("Range: bytes=5242878-5242882"), 206, w("aathe")},
		{"GET", "/bucket/key?attributes", "", h("x-amz-object-attributes: ObjectParts"), 200, w("<PartsCount>2</PartsCount>")},
		{"HEAD", "/bucket/key", "", nil, 200, w("Content-Type: text/plain", "x-amz-meta-k: v", "Content-Length: 5242887")},
	})
	if got := r.must("GET", "/bucket/key", ""); got.body != first+"the end" {
		t.Errorf("%d bytes came back", len(got.body))
	}
	whole := r.must("PUT", "/bucket/whole", first+"the end").header.Get("x-amz-checksum-crc64nvme")
	r.run([]step{
		{"HEAD", "/bucket/key", "", h("x-amz-checksum-mode: ENABLED"), 200, w("x-amz-checksum-crc64nvme: " + whole)},
		{"PUT", "/bucket/copy", "", h("x-amz-copy-source: bucket/key"), 200, w(strings.Trim(r.must("HEAD", "/bucket/whole", "").header.Get("ETag"), `"`))},
	})
	created = r.must("POST", "/bucket/other?uploads", "", "x-amz-checksum-algorithm: SHA256")
	upload = "/bucket/other?uploadId=" + between(t, created.body, "<UploadId>", "</UploadId>")
	r.run([]step{
		{"PUT", upload + "&partNumber=1", "x", h("x-amz-checksum-crc32: NhCmhg=="), 400, w("Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32")},
		{"PUT", upload + "&partNumber=1", "", h("x-amz-copy-source: bucket/key", "x-amz-copy-source-range: bytes=0-5242879"), 200, w("<CopyPartResult", "<ChecksumSHA256>")},
		{"PUT", upload + "&partNumber=2", "", h("x-amz-copy-source: bucket/key", "x-amz-copy-source-range: bytes=9999999-"), 400, w("Range specified is not valid")},
		{"DELETE", upload, "", nil, 204, w("")},
		{"DELETE", upload, "", nil, 404, w("NoSuchUpload")},
		{"DELETE", "/bucket/key", "", nil, 204, w("")},
		{"DELETE", "/bucket/whole", "", nil, 204, w("")},
		{"GET", "/bucket/copy", "", h("Range: bytes=-3"), 206, w("end")},
		{"DELETE", "/bucket/copy", "", nil, 204, w("")},
	})
	if left := r.files(); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// failing is a body that breaks off.
type failing struct{ left int }

func (f *failing) Read(p []byte) (int, error) {
	if f.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n := min(f.left, len(p))
	f.left -= n
	return n, nil
}

func TestNothingIsLeftOfWhatFailed(t *testing.T) {
	r := start(t)
	r.must("PUT", "/bucket", "")
	request := httptest.NewRequest("PUT", "/bucket/key", &failing{left: 100000})
	request.ContentLength = 200000
	if got := r.send(request); got.code != 400 || !strings.Contains(got.body, "<Code>IncompleteBody</Code>") {
		t.Errorf("a body that breaks off: %d %s", got.code, got.body)
	}
	request = httptest.NewRequest("PUT", "/bucket/key", strings.NewReader("x"))
	request.ContentLength = 6 << 30
	if got := r.send(request); got.code != 400 || !strings.Contains(got.body, "<Code>EntityTooLarge</Code>") {
		t.Errorf("six GiB: %d %s", got.code, got.body)
	}
	request.ContentLength = -1
	if got := r.send(request); got.code != 411 || !strings.Contains(got.body, "<Code>MissingContentLength</Code>") {
		t.Errorf("no length: %d %s", got.code, got.body)
	}
	r.do("PUT", "/bucket/key", "x", "Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==")
	r.do("PUT", "/bucket/key", "x", `If-Match: "y"`)
	if left := r.files(); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestAStartRemovesWhatACrashLeft(t *testing.T) {
	r := start(t)
	r.must("PUT", "/bucket", "")
	r.must("PUT", "/bucket/key", "kept")
	kept := r.files()
	orphan := strings.Repeat("ab", 32)
	for _, name := range []string{"writing-123", orphan, "a note of the user"} {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.open()
	want := append(kept, "a note of the user")
	sort.Strings(want)
	if got := r.files(); !slices.Equal(got, want) {
		t.Errorf("after a start there are %v, want %v", got, want)
	}
	if got := r.must("GET", "/bucket/key", ""); got.body != "kept" {
		t.Errorf("body %q", got.body)
	}
}

func TestEqualContentsAreKeptOnce(t *testing.T) {
	r := start(t)
	r.must("PUT", "/bucket", "")
	for i := range 3 {
		r.must("PUT", fmt.Sprintf("/bucket/%d", i), "the same")
	}
	if files := r.files(); len(files) != 1 {
		t.Errorf("three objects are in %v", files)
	}
	r.must("DELETE", "/bucket/0", "")
	r.must("PUT", "/bucket/1", "another")
	if got := r.must("GET", "/bucket/2", ""); got.body != "the same" {
		t.Errorf("body %q", got.body)
	}
	r.must("DELETE", "/bucket/1", "")
	r.must("DELETE", "/bucket/2", "")
	if left := r.files(); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestWhatIsAsked(t *testing.T) {
	r := start(t)
	r.must("PUT", "/bucket", "")
	r.must("PUT", "/bucket?policy", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}}`)
	r.must("PUT", "/bucket/a/b", "x", "x-amz-tagging: team=blue")
	for _, test := range []struct {
		method, target string
		headers        []string
		want           []string
	}{
		{"GET", "/bucket/a/b", nil, w("s3:GetObject arn:aws:s3:::bucket/a/b")},
		{"HEAD", "/bucket/a/b?versionId=null", nil, w("s3:GetObjectVersion arn:aws:s3:::bucket/a/b")},
		{"GET", "/bucket/a/b?tagging", nil, w("s3:GetObjectTagging arn:aws:s3:::bucket/a/b")},
		{"GET", "/bucket/a/b?tagging&versionId=null", nil, w("s3:GetObjectVersionTagging arn:aws:s3:::bucket/a/b")},
		{"PUT", "/bucket/c", h("x-amz-tagging: a=b", "x-amz-acl: private"), w("s3:PutObject arn:aws:s3:::bucket/c", "s3:PutObjectTagging arn:aws:s3:::bucket/c", "s3:PutObjectAcl arn:aws:s3:::bucket/c")},
		{"PUT", "/bucket/d", h("x-amz-copy-source: bucket/a/b"), w("s3:PutObject arn:aws:s3:::bucket/d", "s3:GetObject arn:aws:s3:::bucket/a/b")},
		{"DELETE", "/bucket/c", nil, w("s3:DeleteObject arn:aws:s3:::bucket/c")},
		{"GET", "/bucket?list-type=2&prefix=a/", nil, w("s3:ListBucket arn:aws:s3:::bucket")},
		{"GET", "/bucket?versions", nil, w("s3:ListBucketVersions arn:aws:s3:::bucket")},
		{"GET", "/", nil, w("s3:ListAllMyBuckets *")},
		{"GET", "/bucket?lifecycle", nil, w("s3:GetLifecycleConfiguration arn:aws:s3:::bucket")},
		{"PUT", "/bucket?encryption", nil, w("s3:PutEncryptionConfiguration arn:aws:s3:::bucket")},
		{"GET", "/bucket/none", nil, w("s3:GetObject arn:aws:s3:::bucket/none", "s3:ListBucket arn:aws:s3:::bucket")},
	} {
		r.asked = nil
		r.do(test.method, test.target, "", test.headers...)
		var got []string
		for _, target := range r.asked {
			got = append(got, target.Action+" "+target.Resource)
			if target.Resource != "*" && !strings.Contains(target.Policy, "Deny") {
				t.Errorf("%s %s: %s is asked for without the bucket's policy", test.method, test.target, target.Action)
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s %s asks for %v, want %v", test.method, test.target, got, test.want)
		}
		if strings.Contains(test.target, "prefix=") && r.asked[0].Context["s3:prefix"][0] != "a/" {
			t.Errorf("the prefix is not among the condition keys: %v", r.asked[0].Context)
		}
		if test.target == "/bucket/a/b" && r.asked[0].Context["s3:ExistingObjectTag/team"][0] != "blue" {
			t.Errorf("the tag is not among the condition keys: %v", r.asked[0].Context)
		}
	}
}

func TestRefusals(t *testing.T) {
	r := start(t)
	r.must("PUT", "/bucket", "")
	r.must("PUT", "/bucket/key", "x")
	r.denied = []string{"s3:ListBucket", "s3:DeleteObject"}
	r.run([]step{
		{"GET", "/bucket/none", "", nil, 403, w("<Code>AccessDenied</Code>")}, // whether it is there is not told
		{"DELETE", "/bucket/key", "", nil, 403, w("AccessDenied")},
		{"POST", "/bucket?delete", "<Delete><Object><Key>key</Key></Object></Delete>", nil, 200, w("<Error><Key>key</Key><Code>AccessDenied</Code>")},
		{"GET", "/bucket/key", "", nil, 200, w("x")},
	})
	if _, err := r.assets.ReadObject(t.Context(), &wire.Caller{}, "bucket", "key"); err != nil {
		t.Error(err)
	}
	r.denied = []string{"s3:GetObject"}
	if _, err := r.assets.ReadObject(t.Context(), &wire.Caller{}, "bucket", "key"); wire.Code(err) != "AccessDenied" {
		t.Errorf("ReadObject without permission: %v", err)
	}
	r.assets.Service().Authorize = nil
	if _, err := r.assets.ReadObject(t.Context(), &wire.Caller{}, "bucket", "key"); wire.Code(err) != "AccessDenied" {
		t.Errorf("ReadObject without anybody who decides: %v", err)
	}
}

// Pages of any size, put together, are what a naive reading of the keys gives.
func TestLists(t *testing.T) {
	r := start(t)
	r.must("PUT", "/bucket", "")
	keys := []string{"a", "a/b", "a/b/c", "a/b/d", "a/e", "a0", "b", "b/", "b/c", "ä/x", "z z/+", "z%/x"}
	for _, key := range keys {
		request := httptest.NewRequest("PUT", "/bucket/", strings.NewReader("x"))
		request.URL.Path, request.URL.RawPath = "/bucket/"+key, ""
		if got := r.send(request); got.code != 200 {
			t.Fatalf("%s: %d %s", key, got.code, got.body)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.SampledFrom([]string{"", "a", "a/", "a/b/", "b/", "none"}).Draw(t, "prefix")
		delimiter := rapid.SampledFrom([]string{"", "/", "b"}).Draw(t, "delimiter")
		size := rapid.IntRange(1, 5).Draw(t, "size")
		v2 := rapid.Bool().Draw(t, "v2")
		got := r.list(t, prefix, delimiter, size, v2)
		if want := naiveList(keys, prefix, delimiter); !slices.Equal(got, want) {
			t.Fatalf("%q, want %q", got, want)
		}
	})
}

// list lists all keys and common prefixes, page by page.
func (r *region) list(t *rapid.T, prefix, delimiter string, size int, v2 bool) []string {
	var all []string
	next := ""
	for range 20 {
		request := httptest.NewRequest("GET", "/bucket", nil)
		query := request.URL.Query()
		query.Set("prefix", prefix)
		query.Set("max-keys", fmt.Sprint(size))
		if delimiter != "" {
			query.Set("delimiter", delimiter)
		}
		if v2 {
			query.Set("list-type", "2")
		}
		if next != "" && v2 {
			query.Set("continuation-token", next)
		} else if next != "" {
			query.Set("marker", next)
		}
		request.URL.RawQuery = query.Encode()
		answer := r.send(request)
		var page struct {
			IsTruncated           bool
			NextContinuationToken string
			NextMarker            string
			Contents              []struct{ Key string }
			CommonPrefixes        []struct{ Prefix string }
		}
		if err := xml.Unmarshal([]byte(answer.body), &page); err != nil {
			t.Fatalf("%v: %s", err, answer.body)
		}
		for _, o := range page.Contents {
			all = append(all, o.Key)
			next = o.Key
		}
		for _, p := range page.CommonPrefixes {
			all = append(all, p.Prefix)
		}
		if page.NextMarker != "" {
			next = page.NextMarker
		}
		if v2 {
			next = page.NextContinuationToken
		}
		if !page.IsTruncated {
			sort.Strings(all)
			return all
		}
		if n := len(page.Contents) + len(page.CommonPrefixes); n != size {
			t.Fatalf("a page that is not the last has %d entries, not %d", n, size)
		}
	}
	t.Fatal("the list has no end")
	return nil
}

func naiveList(keys []string, prefix, delimiter string) []string {
	var all []string
	for _, key := range keys {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		if i := strings.Index(rest, delimiter); delimiter != "" && i >= 0 {
			key = prefix + rest[:i+len(delimiter)]
		}
		all = append(all, key)
	}
	sort.Strings(all)
	return slices.Compact(all)
}

// In the process, as CloudFormation calls, the names of the API are used.
func TestCallsWithinTheProcess(t *testing.T) {
	r := start(t)
	call := func(operation string, in any) error {
		return r.assets.Service().Call(context.Background(), wire.Call{Account: account, Region: "us-east-1"}, operation, in, nil)
	}
	for _, step := range []struct {
		operation string
		in        map[string]any
		want      string
	}{
		{"CreateBucket", map[string]any{"Bucket": "bucket"}, ""},
		{"CreateBucket", map[string]any{"Bucket": "bucket"}, "BucketAlreadyOwnedByYou"},
		{"PutBucketVersioning", map[string]any{"Bucket": "bucket", "VersioningConfiguration": map[string]any{"Status": "Enabled"}}, ""},
		{"PutBucketVersioning", map[string]any{"Bucket": "bucket", "VersioningConfiguration": map[string]any{"Stat": "Enabled"}}, "Stat"},
		{"PutBucketVersioning", map[string]any{"Bucket": "bucket", "Colour": 1}, "Colour"},
		{"PutBucketEncryption", map[string]any{"Bucket": "bucket", "ServerSideEncryptionConfiguration": map[string]any{"Rules": []any{map[string]any{"ApplyServerSideEncryptionByDefault": map[string]any{"SSEAlgorithm": "aws:kms"}}}}}, ""},
		{"PutBucketLifecycleConfiguration", map[string]any{"Bucket": "bucket", "LifecycleConfiguration": map[string]any{"Rules": []any{map[string]any{"Status": "Enabled", "NoncurrentVersionExpiration": map[string]any{"NoncurrentDays": 30}}}}}, ""},
		{"PutBucketTagging", map[string]any{"Bucket": "bucket", "Tagging": map[string]any{"TagSet": []any{map[string]any{"Key": "k", "Value": "v"}}}}, ""},
		{"PutBucketPolicy", map[string]any{"Bucket": "bucket", "Policy": `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bucket"}}`}, ""},
		{"DeleteBucketPolicy", map[string]any{"Bucket": "bucket"}, ""},
		{"DeleteBucket", map[string]any{"Bucket": "bucket"}, ""},
		{"DeleteBucket", map[string]any{"Bucket": "bucket"}, "NoSuchBucket"},
	} {
		err := call(step.operation, step.in)
		if step.want == "" && err != nil || step.want != "" && (err == nil || !strings.Contains(err.Error(), step.want)) {
			t.Errorf("%s %v: %v, want %q", step.operation, step.in, err, step.want)
		}
	}
}
