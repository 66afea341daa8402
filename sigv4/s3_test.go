package sigv4_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/seed-615d3599/roost/sigv4"
	"github.com/seed-615d3599/roost/sigv4/s3body"
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
			got, err := io.ReadAll(s3body.New(&sig, strings.NewReader(test.body)))
			if err != nil || string(got) != test.body {
				t.Errorf("read %q, %v", got, err)
			}
			_, err = io.ReadAll(s3body.New(&sig, strings.NewReader(test.body+"!")))
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

// TestAnyRegion leaves the regions open, but a scope has to name one.
func TestAnyRegion(t *testing.T) {
	for _, region := range []string{"eu-west-1", ""} {
		for _, s3 := range []bool{false, true} {
			r := signed(t, "/", func(s *sigv4.Signer) { s.Region, s.S3 = region, s3 })
			verifier := sigv4.Verifier{Service: "execute-api", S3: s3, Now: func() time.Time { return noon }}
			if _, err := verifier.Verify(&r, keys); (err == nil) != (region != "") {
				t.Errorf("region %q, S3 %v: %v", region, s3, err)
			}
		}
	}
}
