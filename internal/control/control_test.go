package control

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seed-615d3599/roost/sigv4"
)

// serve answers each request, if its signature is good, with the function.
func serve(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, body string)) Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		signed := sigv4.FromHTTP(r)
		signed.Body = body
		verifier := sigv4.Verifier{Service: "lambda"}
		if _, err := verifier.Verify(&signed, func(string, string) (string, error) { return "secret", nil }); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		answer(w, r, string(body))
	}))
	t.Cleanup(server.Close)
	return Client{Endpoint: server.URL, Region: "us-east-1", Credentials: sigv4.Credentials{AccessKeyID: "AKIA", SecretAccessKey: "secret"}}
}

func TestCalls(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request, body string) {
		w.Header().Set("X-Answer", "yes")
		fmt.Fprintf(w, `{"Said": "%s %s %s %s"}`, r.Method, r.URL.EscapedPath(), r.Header.Get("X-Amz-Target"), body)
	})
	answer, err := c.REST(t.Context(), Request{Service: "lambda", Method: "PUT", Path: "/a%3Ab", Body: []byte("x"), Header: http.Header{"X-Amz-Target": {"T"}}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"Said": "PUT /a%3Ab T x"}`, string(answer.Body)); diff != "" || answer.Header.Get("X-Answer") != "yes" {
		t.Error(diff)
	}
	var out struct{ Said string }
	if err := c.JSON(t.Context(), Operation{Service: "lambda", Target: "T.Op"}, 1, &out); err != nil || out.Said != "POST / T.Op 1" {
		t.Errorf("%v, %v", out, err)
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		header, body string
		want         Error
	}{
		{"", `{"__type":"ResourceNotFoundException","message":"no such group"}`, Error{400, "ResourceNotFoundException", "no such group"}},
		{"", `{"__type":"com.amazonaws.logs#ThrottlingException","Message":"slow"}`, Error{400, "ThrottlingException", "slow"}},
		{"NotFoundException:http://internal.amazon.com/", `{"message":"gone"}`, Error{400, "NotFoundException", "gone"}},
		{"", "a page", Error{400, "", "a page"}},
		{"", "", Error{400, "", ""}},
	} {
		c := serve(t, func(w http.ResponseWriter, _ *http.Request, _ string) {
			if test.header != "" {
				w.Header().Set("X-Amzn-ErrorType", test.header)
			}
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, test.body)
		})
		_, err := c.REST(t.Context(), Request{Service: "lambda", Method: "GET", Path: "/"})
		var got *Error
		if !errors.As(err, &got) {
			t.Fatalf("the error is %v", err)
		}
		if diff := cmp.Diff(test.want, *got); diff != "" {
			t.Error(diff)
		}
	}
	c := serve(t, nil)
	c.Credentials.SecretAccessKey = "another"
	if _, err := c.REST(t.Context(), Request{Service: "lambda", Method: "GET", Path: "/"}); err == nil {
		t.Error("a wrong key was taken")
	}
}

func TestEndpoint(t *testing.T) {
	for region, want := range map[string]string{
		"eu-west-1": "https://ssm.eu-west-1.amazonaws.com", "cn-north-1": "https://ssm.cn-north-1.amazonaws.com.cn",
	} {
		if got := Endpoint("ssm", region); got != want {
			t.Errorf("%s: %s", region, got)
		}
	}
}
