package logs_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region/logs"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

type object = map[string]any

// service is the service on a store of its own.
type service struct {
	*logs.Logs
	t   testing.TB
	now time.Time
}

func open(t testing.TB, file string) (*service, func()) {
	t.Helper()
	db, err := store.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	s.Logs, err = logs.New(logs.Config{DB: db, Region: "us-east-1", Account: "123456789012", Now: func() time.Time { return s.now }})
	if err != nil {
		t.Fatal(err)
	}
	s.Service().Authorize = func(context.Context, *wire.Call, []wire.Target) error { return nil }
	return s, func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func start(t testing.TB) *service {
	s, stop := open(t, filepath.Join(t.TempDir(), "region.db"))
	t.Cleanup(stop)
	return s
}

func (s *service) call(operation string, in, out any) error {
	return s.Service().Call(context.Background(), wire.Call{Region: "us-east-1", Account: "123456789012"}, operation, in, out)
}

func (s *service) must(operation string, in, out any) {
	s.t.Helper()
	if err := s.call(operation, in, out); err != nil {
		s.t.Fatalf("%s: %v", operation, err)
	}
}

// events is the answer of the reading operations.
type events struct {
	Events            []struct{ LogStreamName, Message string }
	NextForwardToken  string
	NextBackwardToken string
	NextToken         string
}

func (e events) messages() (list []string) {
	for _, event := range e.Events {
		list = append(list, event.Message)
	}
	return list
}

func TestWrittenEventsAreReadAtOnceAndAfterARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "region.db")
	s, stop := open(t, file)
	for i := range 3 {
		s.Write("/aws/lambda/f", "stream", s.now.Add(time.Duration(i)), fmt.Sprintf("line %d\n", i))
	}
	for range 2 {
		var got events
		s.must("GetLogEvents", object{"logGroupName": "/aws/lambda/f", "logStreamName": "stream", "startFromHead": true}, &got)
		if diff := cmp.Diff([]string{"line 0\n", "line 1\n", "line 2\n"}, got.messages()); diff != "" {
			t.Error(diff)
		}
		stop()
		s, stop = open(t, file)
	}
	stop()
}

func TestPaging(t *testing.T) {
	s := start(t)
	for i := range 5 {
		s.Write("g", "s", s.now.Add(time.Duration(i)*time.Millisecond), fmt.Sprint(i))
	}
	in := object{"logGroupName": "g", "logStreamName": "s", "startFromHead": true, "limit": 2}
	for _, want := range []string{"0 1", "2 3", "4", ""} {
		var got events
		s.must("GetLogEvents", in, &got)
		if have := strings.Join(got.messages(), " "); have != want {
			t.Errorf("forward: got %q, want %q", have, want)
		}
		in["nextToken"] = got.NextForwardToken
	}
	in = object{"logGroupName": "g", "logStreamName": "s", "limit": 2}
	for _, want := range []string{"3 4", "1 2", "0", ""} {
		var got events
		s.must("GetLogEvents", in, &got)
		if have := strings.Join(got.messages(), " "); have != want {
			t.Errorf("backward: got %q, want %q", have, want)
		}
		in["nextToken"] = got.NextBackwardToken
	}
	in = object{"logGroupName": "g", "limit": 3}
	for _, want := range []string{"0 1 2", "3 4"} {
		var got events
		s.must("FilterLogEvents", in, &got)
		if have := strings.Join(got.messages(), " "); have != want {
			t.Errorf("filter: got %q, want %q", have, want)
		}
		in["nextToken"] = got.NextToken
	}
}

func TestFilter(t *testing.T) {
	s := start(t)
	s.Write("g", "a", s.now, "ERROR one")
	s.Write("g", "b", s.now.Add(time.Second), "fine")
	s.Write("g", "b", s.now.Add(2*time.Second), `{"level":"ERROR"}`)
	for _, test := range []struct {
		in   object
		want string
	}{
		{object{"filterPattern": "ERROR"}, `ERROR one|{"level":"ERROR"}`},
		{object{"filterPattern": `{ $.level = "ERROR" }`}, `{"level":"ERROR"}`},
		{object{"logStreamNames": []string{"a"}}, "ERROR one"},
		{object{"startTime": s.now.Add(time.Second).UnixMilli(), "endTime": s.now.Add(2 * time.Second).UnixMilli()}, "fine"},
	} {
		test.in["logGroupName"] = "g"
		var got events
		s.must("FilterLogEvents", test.in, &got)
		if have := strings.Join(got.messages(), "|"); have != test.want {
			t.Errorf("%v: got %q, want %q", test.in, have, test.want)
		}
	}
	if err := s.call("FilterLogEvents", object{"logGroupName": "g", "filterPattern": "{ $.a"}, nil); wire.Code(err) != "InvalidParameterException" {
		t.Errorf("got %v", err)
	}
}

func TestErrors(t *testing.T) {
	s := start(t)
	s.must("CreateLogGroup", object{"logGroupName": "g"}, nil)
	s.must("CreateLogStream", object{"logGroupName": "g", "logStreamName": "s"}, nil)
	event := func(at time.Time) object { return object{"timestamp": at.UnixMilli(), "message": "m"} }
	for _, test := range []struct {
		operation string
		in        object
		want      string
	}{
		{"CreateLogGroup", object{"logGroupName": "g"}, "ResourceAlreadyExistsException: The specified log group already exists"},
		{"CreateLogStream", object{"logGroupName": "g", "logStreamName": "s"}, "ResourceAlreadyExistsException: The specified log stream already exists"},
		{"DeleteLogGroup", object{"logGroupName": "x"}, "ResourceNotFoundException: The specified log group does not exist."},
		{"GetLogEvents", object{"logGroupName": "g", "logStreamName": "x"}, "ResourceNotFoundException: The specified log stream does not exist."},
		{"PutLogEvents", object{"logGroupName": "g", "logStreamName": "x", "logEvents": []object{event(s.now)}}, "ResourceNotFoundException"},
		{"PutLogEvents", object{"logGroupName": "g", "logStreamName": "s", "logEvents": []object{event(s.now), event(s.now.Add(-time.Second))}}, "chronological order"},
		{"PutRetentionPolicy", object{"logGroupName": "g", "retentionInDays": 2}, "Invalid retention value 2"},
		{"CreateLogGroup", object{"logGroupName": "a b"}, "logGroupName"},
		{"CreateLogGroup", object{"logGroupName": "k", "kmsKeyId": "x"}, "kmsKeyId"},
	} {
		if err := s.call(test.operation, test.in, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.operation, err, test.want)
		}
	}
	var out struct {
		RejectedLogEventsInfo struct{ TooOldLogEventEndIndex, TooNewLogEventStartIndex int }
	}
	s.must("PutLogEvents", object{"logGroupName": "g", "logStreamName": "s",
		"logEvents": []object{event(s.now.AddDate(0, 0, -15)), event(s.now), event(s.now.Add(3 * time.Hour))}}, &out)
	if got := out.RejectedLogEventsInfo; got.TooOldLogEventEndIndex != 1 || got.TooNewLogEventStartIndex != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestFollow(t *testing.T) {
	s := start(t)
	followed, stop := s.Follow(func(e logs.Event) bool { return e.Group == "g" })
	s.Write("other", "s", s.now, "no")
	s.Write("g", "s", s.now, "yes")
	if e := <-followed; e.Message != "yes" || e.Stream != "s" {
		t.Errorf("got %+v", e)
	}
	stop()
	stop()
	if _, more := <-followed; more {
		t.Error("it goes on after stop")
	}
}

func TestWithTheCommandLineTool(t *testing.T) {
	s := start(t)
	s.now = time.Now()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		in, err := s.Service().Resolve(r, body)
		if err != nil {
			s.Service().WriteError(w, "id", err)
			return
		}
		in.SetBody(body)
		_ = s.Service().Respond(r.Context(), w, &wire.Call{RequestID: "id"}, in)
	}))
	defer server.Close()
	s.Write("/aws/lambda/f", "2026/11/22/[$LATEST]0", s.now, "ERROR here\n")
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"put-retention-policy", "--log-group-name", "/aws/lambda/f", "--retention-in-days", "30"}, ""},
		{[]string{"describe-log-groups"}, `"retentionInDays": 30`},
		{[]string{"describe-log-streams", "--log-group-name", "/aws/lambda/f", "--order-by", "LastEventTime"}, `2026/11/22/[$LATEST]0`},
		{[]string{"filter-log-events", "--log-group-name", "/aws/lambda/f", "--filter-pattern", "ERROR"}, `"message": "ERROR here\n"`},
		{[]string{"tail", "/aws/lambda/f"}, `ERROR here`},
		{[]string{"delete-log-group", "--log-group-name", "/aws/lambda/f"}, ""},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, need.Tool(t, "aws"), append([]string{"--endpoint-url", server.URL, "--region", "us-east-1", "logs"}, step.args...)...)
		cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKID", "AWS_SECRET_ACCESS_KEY=secret", "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true")
		out, err := cmd.CombinedOutput()
		if err != nil && step.args[0] == "tail" && strings.Contains(string(out), "Invalid choice") {
			continue // version 1 of the tool can't
		}
		if err != nil || !strings.Contains(string(out), step.want) {
			t.Fatalf("aws logs %v: %v\n%s", step.args, err, out)
		}
	}
}
