// Package verdict reads what the function of a Lambda authorizer answers, decides
// requests by it, and remembers it (API Gateway Developer Guide, "Control access to
// HTTP APIs with AWS Lambda authorizers").
package verdict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/iam"
)

// Verdict is what an authorizer answered.
type Verdict struct {
	// Allowed is the word of a simple answer.
	Allowed bool
	// Policy is that of the other kind of answer, or nil.
	Policy *iam.Policy
	// Context is a JSON object, or nil.
	Context []byte
	// Principal is the answer's principalId.
	Principal string
}

// Decide evaluates the policy for the principal that the authorizer named, who
// belongs to the account. It fills in r's Principal.
func (v *Verdict) Decide(r iam.Request, account string, trace *iam.Trace) bool {
	r.Principal = iam.Principal{Kind: iam.User, Account: account, ARN: "arn:aws:iam::" + account + ":user/" + v.Principal, Name: v.Principal}
	policies := iam.Policies{Identity: []iam.Attached{{Name: "the authorizer's policyDocument", Policy: v.Policy}}}
	return iam.Decide(r, policies, trace).Outcome == iam.Allowed
}

// Parse reads the function's answer; anything malformed is an error, and so
// lets nobody pass.
func Parse(answer []byte, simple bool) (*Verdict, error) {
	var in struct {
		IsAuthorized   *bool           `json:"isAuthorized"`
		PrincipalID    *string         `json:"principalId"`
		PolicyDocument json.RawMessage `json:"policyDocument"`
		Context        json.RawMessage `json:"context"`
	}
	if err := json.Unmarshal(answer, &in); err != nil {
		return nil, fmt.Errorf("the function's answer is not of the right shape: %w", err)
	}
	v := &Verdict{Context: in.Context}
	if string(v.Context) == "null" {
		v.Context = nil
	}
	if v.Context != nil && bytes.TrimSpace(v.Context)[0] != '{' {
		return nil, errors.New("context of the function's answer is not an object")
	}
	if simple {
		if in.IsAuthorized == nil {
			return nil, errors.New("the function's answer has no isAuthorized, which simple responses need")
		}
		v.Allowed = *in.IsAuthorized
		return v, nil
	}
	if in.PrincipalID == nil || len(in.PolicyDocument) == 0 {
		return nil, errors.New("the function's answer has not both principalId and policyDocument")
	}
	v.Principal = *in.PrincipalID
	var err error
	if v.Policy, err = iam.Parse(in.PolicyDocument); err != nil {
		return nil, fmt.Errorf("policyDocument of the function's answer: %w", err)
	}
	return v, nil
}

// maxKept bounds the answers that one cache keeps.
const maxKept = 1000

// Cache keeps answers of one authorizer by the values of its identity sources. It
// is for use by several goroutines.
type Cache struct {
	ttl time.Duration

	mu      sync.Mutex
	answers map[string]kept
	cleared int // how often
}

// kept is an answer with its end.
type kept struct {
	*Verdict
	until time.Time
}

// NewCache returns an empty cache; with ttl 0 it keeps nothing.
func NewCache(ttl time.Duration) *Cache {
	return &Cache{ttl: ttl, answers: map[string]kept{}}
}

// Get returns the kept verdict, or asks and keeps the answer. Errors are not kept.
func (s *Cache) Get(now time.Time, sources []string, ask func() (*Verdict, error)) (*Verdict, error) {
	if s.ttl <= 0 {
		return ask()
	}
	var b strings.Builder
	for _, v := range sources { // lengths first, so that no two lists have one key
		b.WriteString(strconv.Itoa(len(v)) + ":" + v)
	}
	key := b.String()
	s.mu.Lock()
	k, ok := s.answers[key]
	cleared := s.cleared
	s.mu.Unlock()
	if ok && now.Before(k.until) {
		return k.Verdict, nil
	}
	v, err := ask()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cleared == cleared {
		s.makeRoom(now)
		s.answers[key] = kept{v, now.Add(s.ttl)}
	}
	return v, nil
}

// Clear forgets every answer, and those that are still to come to what was asked
// before.
func (s *Cache) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.answers)
	s.cleared++
}

// makeRoom drops what has expired, and if that is nothing some other.
func (s *Cache) makeRoom(now time.Time) {
	if len(s.answers) < maxKept {
		return
	}
	for k, v := range s.answers {
		if !now.Before(v.until) {
			delete(s.answers, k)
		}
	}
	for k := range s.answers {
		if len(s.answers) < maxKept {
			return
		}
		delete(s.answers, k)
	}
}
