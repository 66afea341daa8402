package providers

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// answering is a transport that answers everything alike.
type answering struct {
	status   int
	location string
	body     string
	requests []*http.Request
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	a.requests = append(a.requests, r)
	if a.status == 0 {
		return nil, errors.New("connection refused")
	}
	recorder := httptest.NewRecorder()
	recorder.Header().Set("Location", a.location)
	recorder.WriteHeader(a.status)
	recorder.WriteString(a.body)
	return recorder.Result(), nil
}

func TestWhatTwitterAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		answer answering
		want   string
	}{
		"a user":          {answering{status: 200, body: `{"id":1,"id_str":"1"}`}, "1"},
		"refused":         {answering{status: 401, body: `{"errors":[{"code":89}]}`}, "rejected"},
		"bad data":        {answering{status: 400}, "rejected"},
		"suspended":       {answering{status: 403}, "rejected"},
		"too many":        {answering{status: 429}, "unavailable"},
		"out of order":    {answering{status: 500}, "unavailable"},
		"no such page":    {answering{status: 404}, "unavailable"},
		"a redirect":      {answering{status: 302, location: "https://evil.example/"}, "unavailable"},
		"not JSON":        {answering{status: 200, body: "<html>"}, "unavailable"},
		"nobody":          {answering{status: 200, body: "{}"}, "unavailable"},
		"without an end":  {answering{status: 200, body: `{"id_str":"1","x":"` + strings.Repeat("x", maxAnswer) + `"}`}, "unavailable"},
		"nothing at all":  {answering{}, "unavailable"},
		"an id as number": {answering{status: 200, body: `{"id_str":1}`}, "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			person, err := Twitter{BaseURL: "https://twitter.example/", Transport: &test.answer}.Verify(t.Context(), "key", "consumer-secret", "token;token-secret")
			var rejected *Rejected
			got := person.User
			switch {
			case errors.As(err, &rejected):
				got = "rejected"
			case errors.Is(err, ErrUnavailable):
				got = "unavailable"
			case err != nil:
				t.Fatal(err)
			}
			if got != test.want {
				t.Errorf("got %s (%v), want %s", got, err, test.want)
			}
			if len(test.answer.requests) != 1 {
				t.Fatalf("%d requests were sent", len(test.answer.requests))
			}
			r := test.answer.requests[0]
			if r.URL.String() != "https://twitter.example/1.1/account/verify_credentials.json?include_entities=false&skip_status=true" {
				t.Errorf("asked %s", r.URL)
			}
			if header := r.Header.Get("Authorization"); strings.Contains(header, "secret") || !strings.Contains(header, `oauth_token="token"`) {
				t.Errorf("signed with %s", header)
			}
		})
	}
}

func TestLoginsWithoutTwoParts(t *testing.T) {
	for _, login := range []string{"", "token", "token;", ";secret", ":", "token:"} {
		transport := &answering{status: 200, body: `{"id_str":"1"}`}
		_, err := Twitter{Transport: transport}.Verify(t.Context(), "k", "s", login)
		if !errors.As(err, new(*Rejected)) || len(transport.requests) != 0 {
			t.Errorf("%q: %v, %d requests", login, err, len(transport.requests))
		}
	}
}
