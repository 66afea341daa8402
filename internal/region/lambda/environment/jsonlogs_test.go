package environment_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
)

// In the JSON format, lines of the function and records of the platform pass by
// their levels. A line has one if it is an object with "level" and a "timestamp"
// of RFC 3339; all others count as INFO.
func TestLevelsOfJSONLogs(t *testing.T) {
	lines := []string{`{"level":"DEBUG","timestamp":"2026-11-22T12:00:00Z","message":"a"}`, `{"level":"ERROR","timestamp":"2026-11-22T12:00:00Z","message":"b"}`,
		`{"level":"ERROR","timestamp":"today","message":"c"}`, "d"}
	payload, err := json.Marshal(map[string]any{"do": "lines", "lines": lines})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ application, system, want string }{
		{"", "", "start b c d report"},
		{"DEBUG", "DEBUG", "start a b c d runtimeDone report"},
		{"WARN", "WARN", "b"},
		{"FATAL", "INFO", "start report"},
	} {
		var l logs
		m := manager(t, environment.Config{Logs: &l})
		s := spec("x")
		s.LogFormat, s.ApplicationLogLevel, s.SystemLogLevel = "JSON", test.application, test.system
		invoke(t, m.Pool(s, m.NewConcurrency()), string(payload))
		var got []string
		for line := range strings.Lines(l.text()) {
			var record struct{ Type, Message string }
			if json.Unmarshal([]byte(line), &record) != nil {
				record.Message = strings.TrimSpace(line)
			}
			got = append(got, strings.TrimPrefix(record.Type, "platform.")+record.Message)
		}
		if got := strings.Join(got, " "); got != test.want {
			t.Errorf("%q and %q: got %s, want %s", test.application, test.system, got, test.want)
		}
	}
}

// A failure passes where the platform's records do not.
func TestFailuresPassTheSystemsLevel(t *testing.T) {
	var l logs
	m := manager(t, environment.Config{Logs: &l})
	s := spec("x")
	s.LogFormat, s.SystemLogLevel = "JSON", "WARN"
	invoke(t, m.Pool(s, m.NewConcurrency()), `{"do":"exit","status":3}`)
	var record struct {
		Type   string
		Record struct{ Status, ErrorType string }
	}
	if err := json.Unmarshal([]byte(l.text()), &record); err != nil || record.Type != "platform.runtimeDone" || record.Record.Status != "error" || record.Record.ErrorType != "Runtime.ExitError" {
		t.Errorf("got %s (%v)", l.text(), err)
	}
}
