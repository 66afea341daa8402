package answers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/store"
)

// request is what a function is asked ("Custom resource request objects").
type request struct {
	RequestType           string
	ServiceToken          string
	ResponseURL           string
	StackID               string `json:"StackId"`
	RequestID             string `json:"RequestId"`
	LogicalResourceID     string `json:"LogicalResourceId"`
	PhysicalResourceID    string `json:"PhysicalResourceId,omitempty"`
	ResourceType          string
	ResourceProperties    any
	OldResourceProperties any `json:",omitempty"`

	properties, old map[string]any
}

// response is what a function answers ("Custom resource response objects").
type response struct {
	Status             string
	Reason             string
	PhysicalResourceID string `json:"PhysicalResourceId"`
	StackID            string `json:"StackId"`
	RequestID          string `json:"RequestId"`
	LogicalResourceID  string `json:"LogicalResourceId"`
	NoEcho             bool
	Data               map[string]any
}

// state is the resource that a response tells of; its physical id is otherwise
// if the response has none.
func (r *response) state(otherwise string) resources.State {
	state := resources.State{ID: otherwise, Attributes: map[string]any{}}
	if r == nil {
		return state
	}
	if r.PhysicalResourceID != "" {
		state.ID = r.PhysicalResourceID
	}
	for name, value := range r.Data {
		state.Attributes[name] = value
	}
	if r.NoEcho {
		state.Data = map[string]any{"NoEcho": true}
	}
	return state
}

// progress is what an attempt after a crash must know of a request.
type progress struct {
	hash, url string
	deadline  time.Time
}

func (p progress) save() map[string]any {
	return map[string]any{"Hash": p.hash, "URL": p.url, "Deadline": p.deadline.Format(time.RFC3339Nano)}
}

func (a *Answers) saved(e *resources.Env) (p progress, ok bool) {
	p.hash, p.url = resources.Text(e.Progress, "Hash"), resources.Text(e.Progress, "URL")
	if key, ok := keyIn(p.url); ok { // the region may have another port than before the crash
		if address, err := a.address(key); err == nil {
			p.url = address
		}
	}
	deadline, err := time.Parse(time.RFC3339Nano, resources.Text(e.Progress, "Deadline"))
	p.deadline = deadline
	return p, err == nil && p.hash != ""
}

// request asks the function and waits for its answer. After a crash it asks
// again under the same request id, unless the answer is there: the function
// may have been lost with the region. It is nil if there was no answer.
func (a *Answers) request(ctx context.Context, e *resources.Env, q request) (*response, error) {
	p, again := a.saved(e)
	if !again {
		var err error
		if p, err = a.open(ctx, e, q); err != nil {
			return nil, &unasked{err}
		}
	}
	answered := func(q *question) bool { return len(q.Answers) > 0 || q.TooLong || q.GivenUp != "" }
	have, err := a.find(ctx, p.hash)
	if err != nil {
		return nil, err
	}
	if have == nil { // it was answered and forgotten just before the crash
		if err := a.ask(ctx, p.hash, question{Expires: p.deadline}); err != nil {
			return nil, err
		}
		have = &question{}
	}
	if !answered(have) {
		if err := a.invoke(ctx, e, q, p); err != nil {
			if !again {
				err = &unasked{err}
			}
			return nil, errors.Join(err, a.forget(context.WithoutCancel(ctx), p.hash))
		}
		if have, err = a.wait(ctx, p.hash, p.deadline, answered); err != nil {
			return nil, err
		}
	}
	r, err := parse(have, q, e)
	if len(have.Answers) == 0 && have.Unheard && !again {
		err = &unasked{err} // so nothing was made that were to be deleted
	}
	return r, errors.Join(err, a.forget(ctx, p.hash))
}

// unasked is the error of a request that never reached the function.
type unasked struct{ error }

func (u *unasked) Unwrap() error { return u.error }

// open writes down what is asked, together with the resource's progress.
func (a *Answers) open(ctx context.Context, e *resources.Env, q request) (progress, error) {
	key, hash, err := a.newKey()
	if err != nil {
		return progress{}, err
	}
	p := progress{hash: hash}
	if p.url, err = a.address(key); err != nil {
		return progress{}, err
	}
	seconds := resources.Int(q.properties, "ServiceTimeout", maxTimeout)
	p.deadline = a.config.Now().UTC().Add(time.Duration(seconds) * time.Second)
	err = a.config.DB.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if err := a.purge(tx); err != nil {
			return err
		}
		if err := tx.Put(kind, hash, question{Expires: p.deadline}); err != nil {
			return err
		}
		return e.SaveProgress(ctx, p.save())
	})
	return p, err
}

// keptExpired is for how long an answer is kept that nobody has read by its
// deadline: who waited for it may come back with a region that was stopped.
const keptExpired = 24 * time.Hour

// purge forgets the questions of custom resources that nobody waits for any more,
// because something else of their stack failed. They take answers until they expire:
// a function that is told that nobody wants its answer may fail and be tried again.
func (a *Answers) purge(tx *store.Tx) error {
	items, err := tx.List(kind, "")
	if err != nil {
		return err
	}
	for _, item := range items {
		var q question
		if err := json.Unmarshal(item.Value, &q); err != nil {
			return err
		}
		if !q.Many && a.config.Now().Sub(q.Expires) > keptExpired {
			if err := tx.Delete(kind, item.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *Answers) invoke(ctx context.Context, e *resources.Env, q request, p progress) error {
	q.ServiceToken = resources.Text(q.properties, "ServiceToken")
	q.ResponseURL, q.StackID, q.RequestID, q.LogicalResourceID, q.ResourceType = p.url, e.StackID, e.Token, e.LogicalID, e.Type
	q.ResourceProperties = texts(q.properties)
	if q.old != nil {
		q.OldResourceProperties = texts(q.old)
	}
	payload, err := json.Marshal(q)
	if err != nil {
		return err
	}
	return e.Call(ctx, "lambda", "Invoke", map[string]any{
		"FunctionName": q.ServiceToken, "InvocationType": "Event", "Payload": payload,
	}, nil)
}

// texts returns a value with numbers and booleans as strings: that is how
// CloudFormation hands properties to functions.
func texts(value any) any {
	switch v := value.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, item := range v {
			m[key] = texts(item)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = texts(item)
		}
		return list
	case nil, string:
		return v
	}
	return fmt.Sprint(value)
}

// noResponse is the reason when the time is over.
const noResponse = "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [%s]. " +
	"If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version."

// parse reads what was answered. The response is returned with an error too,
// as far as it could be read.
func parse(have *question, q request, e *resources.Env) (*response, error) {
	switch {
	case have.TooLong:
		return nil, errors.New("Response object is too long.")
	case len(have.Answers) == 0 && have.GivenUp != "":
		return nil, fmt.Errorf(noResponse+" The function's last error: %s", e.Token, have.GivenUp)
	case len(have.Answers) == 0:
		return nil, fmt.Errorf(noResponse, e.Token)
	}
	r, err := parseResponse(have.Answers[0])
	switch {
	case err != nil:
		return r, err
	case r.StackID != e.StackID, r.RequestID != e.Token, r.LogicalResourceID != e.LogicalID:
		return r, errors.New("Invalid Response object: StackId, RequestId and LogicalResourceId must be those of the request")
	case r.Status == "FAILED":
		reason := r.Reason
		if reason == "" {
			reason = "See the details in the function's logs"
		}
		return r, fmt.Errorf("Received response status [FAILED] from custom resource. Message returned: %s (RequestId: %s)", reason, e.Token)
	}
	return r, nil
}

// maxPhysicalID is how long a physical id may be, in bytes ("Custom resource
// response objects", PhysicalResourceId: up to 1 KB).
const maxPhysicalID = 1024

// parseResponse reads a response's document, whoever sent it.
func parseResponse(text string) (*response, error) {
	r := &response{}
	if err := json.Unmarshal([]byte(text), r); err != nil {
		return nil, errors.New("Response is not valid JSON, or a member is of the wrong type")
	}
	if len(r.PhysicalResourceID) > maxPhysicalID {
		r.PhysicalResourceID = ""
		return r, errPhysicalID
	}
	if r.Status != "SUCCESS" && r.Status != "FAILED" {
		return r, errors.New("Invalid Response object: Status must be SUCCESS or FAILED")
	}
	return r, nil
}
