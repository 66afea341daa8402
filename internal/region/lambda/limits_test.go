package lambda_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/lambda"
)

// A call's payload has Lambda's quotas: 6 MiB where its caller waits, 1 MiB
// where it does not. The same for what comes back is among the recorded cases.
func TestPayloadsThatAreTooLarge(t *testing.T) {
	r := start(t)
	r.python("f", "def handler(e, c):\n    return len(e)")
	for _, test := range []struct {
		kind   string
		length int
		want   string
	}{
		{"RequestResponse", 6 * 1024 * 1024, "6291454"},
		{"RequestResponse", 6*1024*1024 + 1, "6291457 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)"},
		{"Event", 1024*1024 + 1, "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"},
	} {
		got := r.post("f", `"`+strings.Repeat("x", test.length-2)+`"`, "X-Amz-Invocation-Type", test.kind)
		if refused, ok := got["Error"].(object); ok {
			if refused["Code"] != "RequestEntityTooLargeException" || refused["Message"] != test.want {
				t.Errorf("%s: got %v", test.kind, refused)
			}
		} else if got["StatusCode"] != http.StatusOK || got["Payload"] != test.want {
			t.Errorf("%s: got %v, want %s", test.kind, got, test.want)
		}
	}
}

// A layer's extension is not run. That is said once, by its name, however often
// the layer is used.
func TestAnExtensionIsToldOfOnce(t *testing.T) {
	var mu sync.Mutex
	var told []string
	r := startWith(t, func(config *lambda.Config) {
		config.Warn = func(message string) {
			mu.Lock()
			told = append(told, message)
			mu.Unlock()
		}
	})
	var layer struct{ LayerVersionArn string }
	r.must("PublishLayerVersion", object{"LayerName": "watch", "Content": object{"ZipFile": zipped(t, map[string]string{"extensions/watcher": "#!/bin/sh\nexit 1\n"})}}, &layer)
	for _, name := range []string{"f", "g"} {
		in := shellFunction(t, name)
		in["Layers"] = []string{layer.LayerVersionArn}
		r.must("CreateFunction", in, nil)
	}
	r.must("UpdateFunctionConfiguration", object{"FunctionName": "f", "Layers": []string{layer.LayerVersionArn}}, nil)
	if want := []string{"the layer " + layer.LayerVersionArn + " brings the extension watcher, which is not run here"}; !slices.Equal(told, want) {
		t.Errorf("got %q, want %q", told, want)
	}
}
