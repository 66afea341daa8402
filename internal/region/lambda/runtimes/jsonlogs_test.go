package runtimes_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
)

// In the JSON format both runtimes write records with the request's id, from the
// function's log level on.
func TestJSONLogs(t *testing.T) {
	variables := map[string]string{"AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_LEVEL": "WARN"}
	for name, g := range map[string]guest{
		"node": {runtime: "nodejs22.x", handler: "index.handler", variables: variables, files: map[string]string{
			"index.js": "exports.handler = async () => { console.info('low'); console.warn('a %s', 'b\\nc') }"}},
		"python": {runtime: "python3.12", handler: "handler.handler", variables: variables, files: map[string]string{
			"handler.py": "import logging\ndef handler(e, c):\n    logging.info('low')\n    logging.warning('a %s', 'b\\nc')\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			p, l := g.start(t)
			result, _ := invoke(t, p, environment.Call{Payload: []byte(`{}`)})
			var records []string
			for line := range strings.Lines(l.text.String()) {
				if strings.HasPrefix(line, "{") {
					records = append(records, line)
				}
			}
			var record struct{ Timestamp, Level, RequestID, Message string }
			if len(records) != 1 || json.Unmarshal([]byte(records[0]), &record) != nil {
				t.Fatalf("got %q", l.text.String())
			}
			if _, err := time.Parse(time.RFC3339, record.Timestamp); err != nil || !strings.HasPrefix(record.Level, "WARN") || record.RequestID != result.RequestID || record.Message != "a b\nc" {
				t.Errorf("got %s (%v)", records[0], err)
			}
		})
	}
}
