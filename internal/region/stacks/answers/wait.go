package answers

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/internal/region/resources"
)

// waitConditionHandle gives a URL to which signals are sent. Its physical id,
// and so its Ref, is that URL.
func (a *Answers) waitConditionHandle() *resources.Type {
	return &resources.Type{
		Name:       "AWS::CloudFormation::WaitConditionHandle",
		Properties: resources.Properties{},
		Create: func(ctx context.Context, e *resources.Env, _ map[string]any) (resources.State, error) {
			key, hash, err := a.newKey()
			if err != nil {
				return resources.State{}, err
			}
			address, err := a.address(key)
			if err != nil {
				return resources.State{}, err
			}
			q := question{Many: true, Expires: a.config.Now().Add(maxWait * time.Second)}
			return resources.State{ID: address, Data: map[string]any{"Hash": hash}}, a.ask(ctx, hash, q)
		},
		Update: func(_ context.Context, _ *resources.Env, have resources.State, _ map[string]any) (resources.State, error) {
			return have, nil
		},
		Delete: func(ctx context.Context, _ *resources.Env, have resources.State) error {
			return a.forget(ctx, resources.Text(have.Data, "Hash"))
		},
	}
}

// maxWait is the longest Timeout of a wait condition, in seconds, and how long
// its URL is answered.
const maxWait = 43200

// waitCondition waits for signals to a handle or, with a CreationPolicy, from
// SignalResource.
func (a *Answers) waitCondition() *resources.Type {
	return &resources.Type{
		Name: "AWS::CloudFormation::WaitCondition",
		Slow: true,
		Properties: resources.Properties{
			"Handle": {Kind: resources.String}, "Timeout": {Kind: resources.Integer}, "Count": {Kind: resources.Integer},
		},
		Attributes: []string{"Data"},
		Create:     a.awaitSignals,
		Update: func(_ context.Context, _ *resources.Env, have resources.State, _ map[string]any) (resources.State, error) {
			return have, failed("Update to resource type AWS::CloudFormation::WaitCondition is not supported.")
		},
		Delete: func(ctx context.Context, e *resources.Env, _ resources.State) error {
			return a.forget(ctx, signalled(e.StackID, e.LogicalID))
		},
	}
}

// condition is what a wait condition waits for.
type condition struct {
	hash    string
	count   int
	timeout time.Duration
	policy  bool // it has a CreationPolicy instead of a handle
}

func conditionOf(e *resources.Env, want map[string]any) (condition, error) {
	c := condition{count: resources.Int(want, "Count", 1)}
	if e.CreationPolicy != nil {
		return c, c.fromPolicy(e)
	}
	handle := resources.Text(want, "Handle")
	seconds := resources.Int(want, "Timeout", -1)
	switch {
	case handle == "":
		return c, failed("Property Handle cannot be empty.")
	case seconds < 0 || seconds > maxWait:
		return c, failed("Timeout must be between 0 and %d seconds", maxWait)
	}
	key, ok := keyIn(handle)
	if !ok {
		return c, failed("Value (%s) for parameter Handle is invalid: it is no Ref of an AWS::CloudFormation::WaitConditionHandle", handle)
	}
	c.hash, c.timeout = hashOf(key), time.Duration(seconds)*time.Second
	return c, nil
}

func (c *condition) fromPolicy(e *resources.Env) error {
	signal := resources.Child(e.CreationPolicy, "ResourceSignal")
	c.policy, c.hash, c.timeout = true, signalled(e.StackID, e.LogicalID), 5*time.Minute
	if count, ok := signal["Count"]; ok {
		n, err := strconv.Atoi(fmt.Sprint(count))
		if err != nil || n < 1 {
			return failed("CreationPolicy: Count must be a positive number")
		}
		c.count = n
	}
	if text := resources.Text(signal, "Timeout"); text != "" {
		timeout, ok := parseDuration(text)
		if !ok || timeout > maxWait*time.Second {
			return failed("CreationPolicy: Timeout must be a duration such as PT15M, of 12 hours at most")
		}
		c.timeout = timeout
	}
	return nil
}

var duration = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^PT(?:(\d{1,2})H)?(?:(\d{1,4})M)?(?:(\d{1,5})S)?$`) })

// parseDuration reads an ISO 8601 duration of hours, minutes and seconds.
func parseDuration(text string) (time.Duration, bool) {
	parts := duration().FindStringSubmatch(text)
	if parts == nil || text == "PT" {
		return 0, false
	}
	total := time.Duration(0)
	for i, unit := range []time.Duration{time.Hour, time.Minute, time.Second} {
		n, _ := strconv.Atoi("0" + parts[i+1])
		total += time.Duration(n) * unit
	}
	return total, true
}

// awaitSignals waits until enough different signals have arrived, or one that
// tells of a failure.
func (a *Answers) awaitSignals(ctx context.Context, e *resources.Env, want map[string]any) (resources.State, error) {
	c, err := conditionOf(e, want)
	if err != nil {
		return resources.State{}, err
	}
	deadline, err := a.deadline(ctx, e, c)
	if err != nil {
		return resources.State{}, err
	}
	q, err := a.wait(ctx, c.hash, deadline, func(q *question) bool {
		s := read(q)
		return s.failure != nil || len(s.data) >= c.count
	})
	if err != nil {
		return resources.State{}, err
	}
	s := read(q)
	switch {
	case s.failure != nil && c.policy:
		return resources.State{}, fmt.Errorf("Received FAILURE signal with UniqueId %s", s.failure.UniqueID)
	case s.failure != nil:
		return resources.State{}, fmt.Errorf("WaitCondition received failed message: '%s' for uniqueId: %s", s.failure.Reason, s.failure.UniqueID)
	case len(s.data) < c.count && c.policy:
		return resources.State{}, fmt.Errorf("Failed to receive %d resource signal(s) within the specified duration", c.count-len(s.data))
	case len(s.data) < c.count:
		return resources.State{}, fmt.Errorf("WaitCondition timed out. Received %d conditions when expecting %d", len(s.data), c.count)
	}
	data, err := json.Marshal(s.data)
	return resources.State{ID: e.Name(255), Attributes: map[string]any{"Data": string(data)}}, err
}

// deadline is when the time is over, also after a crash.
func (a *Answers) deadline(ctx context.Context, e *resources.Env, c condition) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339Nano, resources.Text(e.Progress, "Deadline")); err == nil {
		return at, nil
	}
	at := a.config.Now().UTC().Add(c.timeout)
	if c.policy {
		if err := a.ask(ctx, c.hash, question{Many: true, Expires: at}); err != nil {
			return at, err
		}
	}
	return at, e.SaveProgress(ctx, map[string]any{"Deadline": at.Format(time.RFC3339Nano)})
}

// signal is what is sent to a handle ("Wait condition signal JSON format").
type signal struct {
	Status   string
	UniqueID string `json:"UniqueId"`
	Data     string
	Reason   string
}

// signals are those that arrived, each unique id once: the first counts.
type signals struct {
	data    map[string]string // by unique id
	failure *signal
}

func read(q *question) signals {
	s := signals{data: map[string]string{}}
	for _, text := range q.Answers {
		one, ok := parseSignal(text)
		if !ok {
			continue // AWS ignores what is no signal
		}
		if _, again := s.data[one.UniqueID]; again {
			continue
		}
		if one.Status == "FAILURE" {
			s.failure = one
			return s
		}
		s.data[one.UniqueID] = one.Data
	}
	return s
}

func parseSignal(text string) (*signal, bool) {
	one := &signal{}
	if json.Unmarshal([]byte(text), one) != nil || one.UniqueID == "" || one.Status != "SUCCESS" && one.Status != "FAILURE" {
		return nil, false
	}
	return one, true
}

// Signal is SignalResource for a wait condition with a CreationPolicy. It
// reports whether the resource waits for signals.
func (a *Answers) Signal(ctx context.Context, stackID, logicalID, uniqueID, status string) (bool, error) {
	text, err := json.Marshal(signal{Status: status, UniqueID: uniqueID})
	if err != nil {
		return false, err
	}
	return a.add(ctx, signalled(stackID, logicalID), string(text), false)
}

// signalled is under what the signals of a resource with a CreationPolicy are
// stored. No key has it for a hash.
func signalled(stackID, logicalID string) string { return "signal/" + stackID + "/" + logicalID }
