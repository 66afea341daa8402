package s3body_test

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
	"github.com/seed-615d3599/roost/sigv4/s3body"
)

// The examples of the S3 API Reference use this key and time.
const (
	docsID            = "AKIAIOSFODNN7EXAMPLE"
	docsSecret        = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	docsAuthorization = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
)

func then() time.Time { return time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC) }

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

func verify(t testing.TB, r sigv4.Request) sigv4.Signature {
	t.Helper()
	verifier := sigv4.Verifier{Service: "s3", Regions: []string{"us-east-1"}, S3: true, Now: then}
	sig, err := verifier.Verify(&r, func(string, string) (string, error) { return docsSecret, nil })
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func TestChunks(t *testing.T) {
	for _, trailer := range []bool{false, true} {
		r, wire := chunkedPUT(trailer)
		sig := verify(t, r)
		for name, reader := range map[string]io.Reader{"whole": strings.NewReader(wire), "by the byte": iotest.OneByteReader(strings.NewReader(wire)), "with its error": iotest.DataErrReader(strings.NewReader(wire))} {
			body := s3body.New(&sig, reader)
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
		sig := verify(t, r)
		check := func(name, wire string) {
			t.Helper()
			body := s3body.New(&sig, strings.NewReader(wire))
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
		signer := sigv4.Signer{Service: "s3", Region: "us-east-1", S3: true, Now: then,
			Credentials: sigv4.Credentials{AccessKeyID: docsID, SecretAccessKey: docsSecret}}
		if err := signer.Sign(r, sigv4.PayloadStreamingUnsignedTrailer); err != nil {
			t.Fatal(err)
		}
		sig := verify(t, sigv4.FromHTTP(r))
		body := s3body.New(&sig, strings.NewReader(wire))
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

// FuzzChunks feeds the decoder anything. Without signatures it gives as many bytes
// as were declared or none; with them nothing gets by, as nobody has signed it.
func FuzzChunks(f *testing.F) {
	zeros := strings.Repeat("0", 64)
	f.Add([]byte("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n"), false)
	f.Add([]byte("2\nhe\n3;\r\nllo\r\n0\r\n\r\n"), false)
	f.Add([]byte("5;chunk-signature="+zeros+"\r\nhello\r\n0;chunk-signature="+zeros+"\r\nx-amz-trailer-signature:"+zeros+"\r\n\r\n"), true)
	f.Fuzz(func(t *testing.T, wire []byte, signed bool) {
		sig := sigv4.Signature{PayloadHash: sigv4.PayloadStreamingUnsignedTrailer, DecodedLength: 5}
		if signed {
			sig.PayloadHash = sigv4.PayloadStreamingTrailer
		}
		body := s3body.New(&sig, bytes.NewReader(wire))
		data, err := io.ReadAll(body)
		if err == nil && (signed || len(data) != 5) {
			t.Errorf("accepts %q", data)
		}
		if err != nil && body.Trailer() != nil {
			t.Error("gives the trailer of a bad payload away")
		}
	})
}
