package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/iam"
)

// apiGateway is the service principal that functions' policies name.
const apiGateway = "apigateway.amazonaws.com"

// verdict is what a Lambda authorizer answered.
type verdict struct {
	allowed   bool        // of a simple answer
	policy    *iam.Policy // of the other kind
	context   []byte      // a JSON object, or nil
	principal string
}

// authorizeLambda asks the authorizer's function, or remembers what it said.
func (c *call) authorizeLambda() bool {
	a := c.route.authorizer
	sources := make([]string, len(a.sources))
	for i, s := range a.sources {
		v, ok := s.Value(source{c})
		if !ok || v == "" {
			c.authorizerError = "the request lacks the identity source " + a.IdentitySources[i]
			return c.fail(http.StatusUnauthorized, c.authorizerError)
		}
		sources[i] = v
	}
	v, err := a.cache.get(c.g.config.Now(), sources, func() (*verdict, error) { return c.ask(a, sources) })
	if err != nil {
		c.authorizerError = err.Error()
		return c.fail(http.StatusInternalServerError, "the authorizer "+a.Name+": "+err.Error())
	}
	return c.obey(a, v)
}

// obey lets the request pass if the verdict allows it.
func (c *call) obey(a *authorizer, v *verdict) bool {
	refusal := &Refusal{Status: http.StatusForbidden, Reason: "the authorizer " + a.Name + " said no"}
	allowed := v.allowed
	if v.policy != nil {
		refusal.Resource, refusal.Trace = c.routeARN(), &iam.Trace{}
		allowed = v.decide(c, refusal.Resource, refusal.Trace)
		refusal.Reason = "the policy that the authorizer " + a.Name + " returned does not allow the request"
	}
	if !allowed {
		c.authorizerError = refusal.Reason
		return c.failWith(refusal)
	}
	c.event.Authorizer.Lambda = true
	c.event.Authorizer.Context, c.event.Authorizer.Principal = v.context, v.principal
	return true
}

// decide evaluates the policy for the principal that the authorizer named.
func (v *verdict) decide(c *call, resource string, trace *iam.Trace) bool {
	account := c.g.config.Account
	d := iam.Decide(iam.Request{
		Principal: iam.Principal{Kind: iam.User, Account: account, ARN: "arn:aws:iam::" + account + ":user/" + v.principal, Name: v.principal},
		Action:    invokeAction,
		Resource:  resource,
		Context:   c.conditions(),
	}, iam.Policies{Identity: []iam.Attached{{Name: "the authorizer's policyDocument", Policy: v.policy}}}, trace)
	return d.Outcome == iam.Allowed
}

// ask invokes the authorizer's function.
func (c *call) ask(a *authorizer, sources []string) (*verdict, error) {
	f := c.g.config.Functions
	if err := f.MayInvoke(a.function, apiGateway, a.sourceARN); err != nil {
		return nil, fmt.Errorf("API Gateway may not invoke the function for %s: %w", a.sourceARN, err)
	}
	var payload []byte
	if a.PayloadVersion == "1.0" {
		payload = c.enc.AuthorizerV1(&c.event, c.routeARN(), sources)
	} else {
		payload = c.enc.AuthorizerV2(&c.event, c.routeARN(), sources)
	}
	ctx, cancel := deadline(authorizerTime * time.Second)
	defer cancel()
	answer, failed, err := f.Invoke(ctx, a.function, payload)
	switch {
	case err != nil:
		return nil, err
	case failed != "":
		return nil, fmt.Errorf("the function failed (%s)", failed)
	}
	return parseVerdict(answer, a.SimpleResponses)
}

// parseVerdict reads the function's answer; anything malformed is an error, and so
// lets nobody pass.
func parseVerdict(answer []byte, simple bool) (*verdict, error) {
	var in struct {
		IsAuthorized   *bool           `json:"isAuthorized"`
		PrincipalID    *string         `json:"principalId"`
		PolicyDocument json.RawMessage `json:"policyDocument"`
		Context        json.RawMessage `json:"context"`
	}
	if err := json.Unmarshal(answer, &in); err != nil {
		return nil, fmt.Errorf("the function's answer is not of the right shape: %w", err)
	}
	v := &verdict{context: in.Context}
	if string(v.context) == "null" {
		v.context = nil
	}
	if v.context != nil && bytes.TrimSpace(v.context)[0] != '{' {
		return nil, errors.New("context of the function's answer is not an object")
	}
	if simple {
		if in.IsAuthorized == nil {
			return nil, errors.New("the function's answer has no isAuthorized, which simple responses need")
		}
		v.allowed = *in.IsAuthorized
		return v, nil
	}
	if in.PrincipalID == nil || len(in.PolicyDocument) == 0 {
		return nil, errors.New("the function's answer has not both principalId and policyDocument")
	}
	v.principal = *in.PrincipalID
	var err error
	if v.policy, err = iam.Parse(in.PolicyDocument); err != nil {
		return nil, fmt.Errorf("policyDocument of the function's answer: %w", err)
	}
	return v, nil
}

// verdicts keeps answers of one authorizer by the values of its identity sources.
type verdicts struct {
	ttl time.Duration

	mu   sync.Mutex
	kept map[string]keptVerdict
}

type keptVerdict struct {
	*verdict
	until time.Time
}

func newVerdicts(ttl time.Duration) *verdicts {
	return &verdicts{ttl: ttl, kept: map[string]keptVerdict{}}
}

// get returns the kept verdict, or asks and keeps the answer. Errors are not kept.
func (s *verdicts) get(now time.Time, sources []string, ask func() (*verdict, error)) (*verdict, error) {
	if s.ttl <= 0 {
		return ask()
	}
	var b strings.Builder
	for _, v := range sources { // lengths first, so that no two lists have one key
		b.WriteString(strconv.Itoa(len(v)) + ":" + v)
	}
	key := b.String()
	s.mu.Lock()
	k, ok := s.kept[key]
	s.mu.Unlock()
	if ok && now.Before(k.until) {
		return k.verdict, nil
	}
	v, err := ask()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makeRoom(now)
	s.kept[key] = keptVerdict{v, now.Add(s.ttl)}
	return v, nil
}

// makeRoom drops what has expired, and if that is nothing some other.
func (s *verdicts) makeRoom(now time.Time) {
	if len(s.kept) < maxCachedVerdicts {
		return
	}
	for k, v := range s.kept {
		if !now.Before(v.until) {
			delete(s.kept, k)
		}
	}
	for k := range s.kept {
		if len(s.kept) < maxCachedVerdicts {
			return
		}
		delete(s.kept, k)
	}
}
