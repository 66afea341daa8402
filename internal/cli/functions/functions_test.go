package functions

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/seed-615d3599/roost/internal/control"
	"github.com/seed-615d3599/roost/internal/term"
)

func TestPick(t *testing.T) {
	all := map[string]string{"get": "", "dev-getPublic": "", "dev-private": ""}
	for _, test := range []struct {
		groups             map[string]string
		wanted, name, hint string
	}{
		{all, "get", "get", ""}, // a whole name, although another one has it in it
		{all, "PUBLIC", "dev-getPublic", ""},
		{all, "dev", "", "say which: dev-getPublic, dev-private"},
		{all, "other", "", "there are: dev-getPublic, dev-private, get"},
		{nil, "other", "", "none is deployed"},
	} {
		name, err := Pick(test.groups, test.wanted)
		hint := strings.Join(term.Hints(err), "")
		if name != test.name || (err == nil) != (test.name != "") || !strings.HasPrefix(hint, test.hint) {
			t.Errorf("%s: %q, %v, %q", test.wanted, name, err, hint)
		}
	}
}

// Lists and events come in pages; a group that is shared holds others' events,
// and one of a function that never ran is not there.
func TestPages(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			LogGroupName, NextToken string
			StartTime               int64
		}
		body, err := io.ReadAll(r.Body)
		if err == nil && len(body) > 0 {
			err = json.Unmarshal(body, &in)
		}
		if err != nil || len(body) > 0 && in.StartTime != 7 {
			t.Errorf("%s: %v", body, err)
		}
		switch r.URL.RequestURI() + in.LogGroupName + in.NextToken {
		case "/2015-03-31/functions/":
			io.WriteString(w, `{"Functions": [{"FunctionName": "a", "LoggingConfig": {"LogGroup": "shared"}}], "NextMarker": "a b"}`)
		case "/2015-03-31/functions/?Marker=a+b":
			io.WriteString(w, `{"Functions": [{"FunctionName": "b", "LoggingConfig": {"LogGroup": "/aws/lambda/b"}}, {"FunctionName": "c", "LoggingConfig": {"LogGroup": "/aws/lambda/c"}}]}`)
		case "/shared":
			io.WriteString(w, `{"events": [{"eventId": "2", "timestamp": 9, "logStreamName": "2026/11/22/a[1]0", "message": "late"}, {"eventId": "3", "timestamp": 9, "logStreamName": "2026/11/22/z[1]0"}], "nextToken": "t"}`)
		case "/sharedt":
			io.WriteString(w, `{"events": [{"eventId": "4", "timestamp": 10, "logStreamName": "2026/11/22/a[1]0", "message": "last"}]}`)
		case "//aws/lambda/b":
			io.WriteString(w, `{"events": [{"eventId": "1", "timestamp": 8, "logStreamName": "2026/11/22/[1]0", "message": "early"}]}`)
		default:
			w.WriteHeader(http.StatusBadRequest)
			io.WriteString(w, `{"__type": "ResourceNotFoundException"}`)
		}
	}))
	t.Cleanup(server.Close)
	c := control.Client{Endpoint: server.URL, Region: "us-east-1"}
	groups, err := Groups(t.Context(), c)
	if diff := cmp.Diff(map[string]string{"a": "shared", "b": "/aws/lambda/b", "c": "/aws/lambda/c"}, groups); diff != "" || err != nil {
		t.Fatal(diff, err)
	}
	events, err := Events(t.Context(), c, groups, 7)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, e.Function+" "+e.Message)
	}
	if diff := cmp.Diff([]string{"b early", "a late", "a last"}, got); diff != "" {
		t.Error(diff)
	}
}
