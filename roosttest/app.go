package roosttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Outputs returns the outputs of all stacks by their names; of two with one
// name the later stack's.
func (r *Region) Outputs() map[string]string { return r.tried.Outputs() }

// API returns the base URL of an HTTP API, without a slash at its end, by the
// name that the app gives it ("Api"), its logical id or its id. With an empty
// name it is the only one.
func (r *Region) API(name string) string {
	r.t.Helper()
	return r.tried.Region.APIs()[r.find("AWS::ApiGatewayV2::Api", name)]
}

// find returns the id of a resource.
func (r *Region) find(typeName, name string) string {
	r.t.Helper()
	id, err := r.tried.Find(typeName, name)
	if err != nil {
		r.t.Fatalf("roosttest: %v", err)
	}
	return id
}

// A FunctionError is what a function's failure looks like to who invokes it.
type FunctionError struct {
	Kind    string // "Unhandled"
	Payload []byte // JSON with errorType and errorMessage
}

// Error returns the payload.
func (e *FunctionError) Error() string { return e.Kind + ": " + string(e.Payload) }

// Invoke invokes a function, by its name or its logical id as in [Region.API],
// with a payload that is JSON already ([]byte, json.RawMessage) or becomes it.
// A function that fails gives a *FunctionError.
func (r *Region) Invoke(function string, payload any) ([]byte, error) {
	r.t.Helper()
	body, raw := payload.([]byte)
	if !raw {
		var err error
		if body, err = json.Marshal(payload); err != nil {
			return nil, err
		}
	}
	answer, kind, err := r.tried.Region.Invoke(r.t.Context(), r.find("AWS::Lambda::Function", function), body)
	if err != nil {
		return nil, err
	}
	if kind != "" {
		return nil, &FunctionError{kind, answer}
	}
	return answer, nil
}

// Logs returns what a function has logged, line by line, its platform's lines
// among them.
func (r *Region) Logs(function string) []string {
	r.t.Helper()
	name := r.find("AWS::Lambda::Function", function)
	var config struct{ LoggingConfig struct{ LogGroup string } }
	err := r.tried.Region.Call(r.t.Context(), "lambda", "GetFunctionConfiguration", map[string]string{"FunctionName": name}, &config)
	if err != nil {
		r.t.Fatalf("roosttest: look at the function %s: %v", function, err)
	}
	lines, err := r.logs(r.t.Context(), config.LoggingConfig.LogGroup)
	if err != nil {
		r.t.Fatalf("roosttest: read the logs of %s: %v", function, err)
	}
	return lines
}

func (r *Region) logs(ctx context.Context, group string) ([]string, error) {
	var lines []string
	in := map[string]any{"logGroupName": group}
	for {
		var out struct {
			Events    []struct{ Message string }
			NextToken string
		}
		err := r.tried.Region.Call(ctx, "logs", "FilterLogEvents", in, &out)
		if wire.Code(err) == "ResourceNotFoundException" {
			return lines, nil // nothing was logged yet
		}
		if err != nil {
			return nil, err
		}
		for _, e := range out.Events {
			lines = append(lines, strings.TrimRight(e.Message, "\n"))
		}
		if out.NextToken == "" {
			return lines, nil
		}
		in["nextToken"] = out.NextToken
	}
}

// withHints puts an error's hints below it.
func withHints(err error) error {
	var h interface{ Hint() string }
	if errors.As(err, &h) && h.Hint() != "" {
		return fmt.Errorf("%w\n  → %s", err, h.Hint())
	}
	return err
}
