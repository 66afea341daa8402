package roosttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/seed-615d3599/roost/internal/region"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Outputs returns the outputs of all stacks by their names; of two with one
// name the later stack's.
func (r *Region) Outputs() map[string]string {
	all := map[string]string{}
	for _, result := range r.results {
		for _, o := range result.Outputs {
			all[o.Name] = r.replaced.Replace(o.Value)
		}
	}
	return all
}

// moved replaces the URLs of one region by those of its fork.
func moved(from, to *region.Region) *strings.Replacer {
	pairs := []string{from.Endpoint, to.Endpoint, from.Twitter, to.Twitter}
	urls := to.APIs()
	for id, url := range from.APIs() {
		pairs = append(pairs, url, urls[id])
	}
	return strings.NewReplacer(pairs...)
}

// API returns the base URL of an HTTP API, without a slash at its end, by the
// name that the app gives it ("Api"), its logical id or its id. With an empty
// name it is the only one.
func (r *Region) API(name string) string {
	r.t.Helper()
	ids := r.physical("AWS::ApiGatewayV2::Api", name)
	if len(ids) != 1 {
		r.t.Fatalf("roosttest: %d APIs are called %q", len(ids), name)
	}
	return r.region.APIs()[ids[0]]
}

// hashed recognizes what constructs add to a name to make a logical id.
var hashed = regexp.MustCompile(`^[0-9A-F]{8}$`)

// A resource is one that was deployed.
type resource struct{ logical, id, typeName string }

// list reads what was deployed.
func (r *Region) list(ctx context.Context) error {
	for _, result := range r.results {
		var out struct {
			StackResourceSummaries []struct{ LogicalResourceID, PhysicalResourceID, ResourceType string }
		}
		err := r.region.Call(ctx, "cloudformation", "ListStackResources", map[string]string{"StackName": result.Stack}, &out)
		if err != nil {
			return fmt.Errorf("list the resources of %s: %w", result.Stack, err)
		}
		for _, one := range out.StackResourceSummaries {
			r.resources = append(r.resources, resource{one.LogicalResourceID, one.PhysicalResourceID, one.ResourceType})
		}
	}
	return nil
}

// physical returns the physical ids of the resources of a type that a name
// means: a logical id, an id, or the name from which a construct made the
// logical id.
func (r *Region) physical(typeName, name string) []string {
	var exact, called []string
	for _, one := range r.resources {
		rest, prefixed := strings.CutPrefix(one.logical, name)
		switch {
		case one.typeName != typeName:
		case one.logical == name || one.id == name:
			exact = append(exact, one.id)
		case name == "" || prefixed && hashed.MatchString(rest):
			called = append(called, one.id)
		}
	}
	if len(exact) > 0 {
		return exact
	}
	return called
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
	answer, kind, err := r.region.Invoke(r.t.Context(), r.function(function), body)
	if err != nil {
		return nil, err
	}
	if kind != "" {
		return nil, &FunctionError{kind, answer}
	}
	return answer, nil
}

// function finds a function's name.
func (r *Region) function(name string) string {
	r.t.Helper()
	names := r.physical("AWS::Lambda::Function", name)
	if len(names) != 1 {
		r.t.Fatalf("roosttest: %d functions are called %q", len(names), name)
	}
	return names[0]
}

// Logs returns what a function has logged, line by line, its platform's lines
// among them.
func (r *Region) Logs(function string) []string {
	r.t.Helper()
	name := r.function(function)
	var config struct{ LoggingConfig struct{ LogGroup string } }
	err := r.region.Call(r.t.Context(), "lambda", "GetFunctionConfiguration", map[string]string{"FunctionName": name}, &config)
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
		err := r.region.Call(ctx, "logs", "FilterLogEvents", in, &out)
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
