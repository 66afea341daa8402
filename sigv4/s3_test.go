package sigv4_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/seed-615d3599/roost/sigv4"
)

// The examples of the S3 API Reference, "Authenticating Requests", use this key
// and time.
const docsSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

func docsKey(id, token string) (string, error) {
	if id != "AKIAIOSFODNN7EXAMPLE" || token != "" {
		return "", errUnknownKey
	}
	return docsSecret, nil
}

func bucket() sigv4.Verifier {
	return sigv4.Verifier{Service: "s3", Regions: []string{"us-east-1"}, S3: true,
		Now: func() time.Time { return time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC) }}
}

const docsAuthorization = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"

// TestS3Examples are the header and query examples of the S3 API Reference.
func TestS3Examples(t *testing.T) {
	const host = "examplebucket.s3.amazonaws.com"
	empty := sigv4.HashPayload(nil)
	tests := []struct{ name, request, body string }{
		{"GET object", "GET /test.txt HTTP/1.1\nHost: " + host + "\nRange: bytes=0-9\nx-amz-content-sha256:" + empty + "\nx-amz-date: 20130524T000000Z\nAuthorization: " + docsAuthorization + "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", ""},
		{"PUT object", "PUT /test$file.text HTTP/1.1\nHost: " + host + "\nDate: Fri, 24 May 2013 00:00:00 GMT\nx-amz-date: 20130524T000000Z\nx-amz-storage-class: REDUCED_REDUNDANCY\nx-amz-content-sha256: 44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\nAuthorization: " + docsAuthorization + "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd", "Welcome to Amazon S3."},
		{"GET lifecycle", "GET /?lifecycle HTTP/1.1\nHost: " + host + "\nx-amz-date: 20130524T000000Z\nx-amz-content-sha256:" + empty + "\nAuthorization: " + docsAuthorization + "SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543", ""},
		{"list objects", "GET /?prefix=J&max-keys=2 HTTP/1.1\nHost: " + host + "\nx-amz-date: 20130524T000000Z\nx-amz-content-sha256:" + empty + "\nAuthorization: " + docsAuthorization + "SignedHeaders=host;x-amz-content-sha256;x-amz-date,Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7", ""},
		{"presigned", "GET /test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404 HTTP/1.1\nHost: " + host, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, verifier := parseRaw(test.request), bucket()
			sig, err := verifier.Verify(&r, docsKey)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(sig.Body(strings.NewReader(test.body)))
			if err != nil || string(got) != test.body {
				t.Errorf("read %q, %v", got, err)
			}
			_, err = io.ReadAll(sig.Body(strings.NewReader(test.body + "!")))
			if sig.PayloadHash != sigv4.PayloadUnsigned && code(err) != sigv4.CodeXAmzContentSHA256Mismatch {
				t.Errorf("a body that differs from its hash: %v", err)
			}
		})
	}
}

func code(err error) string {
	var e *sigv4.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// chunkedPUT is the example of "Signature calculations for chunked uploads", and
// with a trailer that of "... including trailing headers".
func chunkedPUT(trailer bool) (r sigv4.Request, body string) {
	seed, marker := "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9", sigv4.PayloadStreaming
	signatures := []string{"ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648", "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"}
	last, signed, length := "\r\n", "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class", "66824"
	if trailer {
		seed, marker = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e", sigv4.PayloadStreamingTrailer
		signatures = []string{"b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2", "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7", "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"}
		signed, length = "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer", "66946"
		last = "x-amz-checksum-crc32c:sOO8/Q==\r\nx-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n"
	}
	r = sigv4.Request{Method: "PUT", Target: "/examplebucket/chunkObject.txt", Host: "s3.amazonaws.com", Header: []sigv4.Header{
		{Name: "x-amz-date", Value: "20130524T000000Z"},
		{Name: "x-amz-storage-class", Value: "REDUCED_REDUNDANCY"},
		{Name: "Authorization", Value: docsAuthorization + "SignedHeaders=" + signed + ",Signature=" + seed},
		{Name: "x-amz-content-sha256", Value: marker},
		{Name: "Content-Encoding", Value: "aws-chunked"},
		{Name: "x-amz-decoded-content-length", Value: "66560"},
		{Name: "Content-Length", Value: length},
	}}
	if trailer {
		r.Header = append(r.Header, sigv4.Header{Name: "x-amz-trailer", Value: "x-amz-checksum-crc32c"})
	}
	for i, size := range []int{65536, 1024} {
		body += strconv.FormatInt(int64(size), 16) + ";chunk-signature=" + signatures[i] + "\r\n" + strings.Repeat("a", size) + "\r\n"
	}
	return r, body + "0;chunk-signature=" + signatures[2] + "\r\n" + last
}

func verifyChunked(t testing.TB, r sigv4.Request) sigv4.Signature {
	t.Helper()
	verifier := bucket()
	sig, err := verifier.Verify(&r, docsKey)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func TestChunks(t *testing.T) {
	for _, trailer := range []bool{false, true} {
		r, wire := chunkedPUT(trailer)
		sig := verifyChunked(t, r)
		for name, reader := range map[string]io.Reader{"whole": strings.NewReader(wire), "by the byte": iotest.OneByteReader(strings.NewReader(wire)), "with its error": iotest.DataErrReader(strings.NewReader(wire))} {
			body := sig.Body(reader)
			data, err := io.ReadAll(body)
			if err != nil || string(data) != strings.Repeat("a", 66560) {
				t.Errorf("%s: read %d bytes, %v", name, len(data), err)
			}
			want := []sigv4.Header(nil)
			if trailer {
				want = []sigv4.Header{{Name: "x-amz-checksum-crc32c", Value: "sOO8/Q=="}}
			}
			if diff := cmp.Diff(want, body.Trailer()); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// TestChunkMutations changes, cuts, repeats and exchanges chunks; none gets by.
func TestChunkMutations(t *testing.T) {
	for _, trailer := range []bool{false, true} {
		r, wire := chunkedPUT(trailer)
		sig := verifyChunked(t, r)
		check := func(name, wire string) {
			t.Helper()
			body := sig.Body(strings.NewReader(wire))
			if _, err := io.ReadAll(body); code(err) == "" {
				t.Errorf("%s: %v, want a refusal", name, err)
			} else if body.Trailer() != nil {
				t.Errorf("%s: gives a trailer away", name)
			}
		}
		// Bytes of the data all look the same: a few of them do.
		places := slices.Concat(seq(0, 200), seq(65600, 65800), seq(len(wire)-1300, len(wire)))
		for _, i := range places {
			mutant := wire[:i] + string([]byte{wire[i] ^ 1}) + wire[i+1:]
			check("byte "+strconv.Itoa(i), mutant)
			check("cut at "+strconv.Itoa(i), wire[:i])
		}
		second := strings.Index(wire, "400;")
		last := strings.LastIndex(wire, "0;chunk")
		check("more after the end", wire+"x")
		check("without its first chunk", wire[second:])
		check("without its second chunk", wire[:second]+wire[last:])
		check("chunk repeated", wire[:last]+wire[second:])
		check("chunks exchanged", wire[second:last]+wire[:second]+wire[last:])
		check("unsigned chunk", strings.Replace(wire, ";chunk-signature=", ";x=", 1))
		check("huge chunk", "7fffffffffffffff;chunk-signature=\r\n")
		check("negative chunk", "-1;chunk-signature=\r\n")
		check("endless line", strings.Repeat("1", 1<<20))
		check("empty", "")
	}
}

func seq(from, to int) []int {
	var out []int
	for i := from; i < to; i++ {
		out = append(out, i)
	}
	return out
}

// TestUnsignedTrailer is what SDKs send over TLS: chunks without signatures, and
// a checksum for the caller at the end.
func TestUnsignedTrailer(t *testing.T) {
	send := func(wire, length string) (string, []sigv4.Header, error) {
		r, err := http.NewRequest("PUT", "http://localhost/bucket/key", nil)
		if err != nil {
			t.Fatal(err)
		}
		if length != "" {
			r.Header.Set("X-Amz-Decoded-Content-Length", length)
		}
		r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
		signer := tester()
		signer.Service, signer.S3 = "s3", true
		if err := signer.Sign(r, sigv4.PayloadStreamingUnsignedTrailer); err != nil {
			t.Fatal(err)
		}
		verifier, arrived := bucket(), sigv4.FromHTTP(r)
		verifier.Now = func() time.Time { return noon }
		sig, err := verifier.Verify(&arrived, keys)
		if err != nil {
			t.Fatal(err)
		}
		body := sig.Body(strings.NewReader(wire))
		data, err := io.ReadAll(body)
		return string(data), body.Trailer(), err
	}
	data, trailer, err := send("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", "5")
	if data != "hello" || err != nil || len(trailer) != 1 || trailer[0].Value != "NhCmhg==" {
		t.Errorf("read %q %v, %v", data, trailer, err)
	}
	for _, test := range []struct{ wire, length, want string }{
		{"5\r\nhello\r\n0\r\n\r\n", "6", sigv4.CodeIncompleteBody},
		{"5\r\nhello\r\n0\r\n\r\n", "4", sigv4.CodeIncompleteBody},
		{"5\r\nhello\r\n0\r\n\r\n", "", sigv4.CodeMissingContentLength},
		{"5\r\nhello\r\n0\r\n\r\n", "-5", sigv4.CodeMissingContentLength},
		{"5\r\nhell", "5", sigv4.CodeIncompleteBody},
		{"5\r\nhelloworld\r\n", "5", sigv4.CodeInvalidRequest},
		{"5;chunk-signature=" + strings.Repeat("0", 64) + "\r\nhello\r\n0\r\n\r\n", "5", sigv4.CodeInvalidRequest},
		{"5\r\nhello\r\n0\r\nno colon\r\n\r\n", "5", sigv4.CodeInvalidRequest},
		{"5\r\nhello\r\n0\r\n" + strings.Repeat("a:b\r\n", 100) + "\r\n", "5", sigv4.CodeInvalidRequest},
	} {
		if _, _, err := send(test.wire, test.length); code(err) != test.want {
			t.Errorf("%q of length %q: %v, want %s", test.wire, test.length, err, test.want)
		}
	}
}

// TestS3Refusals holds the errors that are S3's own.
func TestS3Refusals(t *testing.T) {
	s3 := func(s *sigv4.Signer) { s.Service, s.S3 = "s3", true }
	plain, query := signed(t, "/bucket/a//b/../c", s3), presigned(t, "/bucket/key", s3)
	tests := []struct {
		name string
		r    sigv4.Request
		want string
	}{
		{"signed", plain, "ok"},
		{"presigned", query, "ok"},
		{"anonymous", without(plain, "Authorization"), "AccessDenied: Access Denied"},
		{"twice", set(query, "Authorization", plainAuthorization(plain)), "InvalidArgument: Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified"},
		{"bearer", set(plain, "Authorization", "Bearer x"), "InvalidArgument: Unsupported Authorization Type"},
		{"paths differ by their slashes", retarget(plain, "/bucket/a/b/../c"), "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method."},
		{"paths differ by their dots", retarget(plain, "/bucket/a//c"), "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method."},
		{"an encoded letter is that letter", retarget(query, strings.Replace(query.Target, "/key", "/%6bey", 1)), "ok"},
		{"no hash", without(plain, "X-Amz-Content-Sha256"), "InvalidRequest: Missing required header for this request: x-amz-content-sha256"},
		{"a hash that is none", set(plain, "X-Amz-Content-Sha256", "x"), "InvalidArgument: x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value."},
		{"asymmetric chunks", set(plain, "X-Amz-Content-Sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"), "NotImplemented: A header you provided implies functionality that is not implemented: x-amz-content-sha256: STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"},
		{"unsigned in place of a hash", set(plain, "X-Amz-Content-Sha256", sigv4.PayloadUnsigned), "SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method."},
		{"unsigned x-amz- header", set(plain, "X-Amz-Acl", "public-read"), "AccessDenied: There were headers present in the request which were not signed"},
		{"presigned with an unsigned x-amz- header", set(query, "x-amz-acl", "public-read"), "AccessDenied: There were headers present in the request which were not signed"},
		{"presigned with an unsigned hash", set(query, "x-amz-content-sha256", sigv4.HashPayload(nil)), "ok"},
		{"fifteen minutes old", signed(t, "/", func(s *sigv4.Signer) { s3(s); at(noon.Add(-15 * time.Minute))(s) }), "ok"},
		{"a second older", signed(t, "/", func(s *sigv4.Signer) { s3(s); at(noon.Add(-15*time.Minute - time.Second))(s) }), "RequestTimeTooSkewed: The difference between the request time and the current time is too large."},
		{"ahead", signed(t, "/", func(s *sigv4.Signer) { s3(s); at(noon.Add(16 * time.Minute))(s) }), "RequestTimeTooSkewed: The difference between the request time and the current time is too large."},
		{"presigned and expired", presigned(t, "/", func(s *sigv4.Signer) { s3(s); at(noon.Add(-61 * time.Second))(s) }), "AccessDenied: Request has expired"},
		{"presigned without a life", replace(query, "&X-Amz-Expires=60", ""), "AuthorizationQueryParametersError: Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."},
		{"another region", signed(t, "/", func(s *sigv4.Signer) { s3(s); s.Region = "eu-west-1" }), "AuthorizationHeaderMalformed: The authorization header is malformed; the region 'eu-west-1' is wrong; expecting 'us-east-1'"},
		{"presigned for another region", presigned(t, "/", func(s *sigv4.Signer) { s3(s); s.Region = "eu-west-1" }), "AuthorizationQueryParametersError: Error parsing the X-Amz-Credential parameter; the region 'eu-west-1' is wrong; expecting 'us-east-1'"},
		{"another service", signed(t, "/", func(s *sigv4.Signer) { s3(s); s.Service = "sts" }), `AuthorizationHeaderMalformed: The authorization header is malformed; incorrect service "sts". This endpoint belongs to "s3".`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			verifier, got := bucket(), "ok"
			verifier.Now = func() time.Time { return noon }
			if _, err := verifier.Verify(&test.r, keys); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadBody(t *testing.T) {
	body := bytes.Repeat([]byte("x"), 100)
	data, hash, err := sigv4.ReadBody(bytes.NewReader(body), 100)
	if err != nil || !bytes.Equal(data, body) || hash != sigv4.HashPayload(body) {
		t.Errorf("%d bytes, %s, %v", len(data), hash, err)
	}
	if _, _, err := sigv4.ReadBody(bytes.NewReader(body), 99); !errors.Is(err, sigv4.ErrBodyTooLarge) {
		t.Errorf("a body over the limit: %v", err)
	}
	if _, _, err := sigv4.ReadBody(iotest.ErrReader(io.ErrUnexpectedEOF), 99); err != io.ErrUnexpectedEOF {
		t.Errorf("a broken body: %v", err)
	}
}
