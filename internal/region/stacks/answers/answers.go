// Package answers waits for what is outside the region to answer for
// resources: functions for custom resources, scripts and people for wait
// conditions. Each is given a URL that nobody can guess and that expires.
//
//	a := answers.New(answers.Config{DB: db, Endpoint: func() string { return "http://127.0.0.1:4000" }})
//	types = append(types, a.Types()...)
//	paths[answers.Path] = a               // served without a signature
//
// What is asked and what was answered lies in the state file, so that an answer
// that arrives while nobody waits, or just before a crash, is not lost.
package answers

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Path is where the URLs lead; the handler is to be served there.
const Path = "/.roost/cloudformation/answer"

// Config is what New needs. DB must be given.
type Config struct {
	DB       *store.DB
	Endpoint func() string    // the region's base URL; nil refuses what needs a URL
	Now      func() time.Time // nil means time.Now
	Rand     io.Reader        // nil means crypto/rand
}

// Answers keeps what is asked and answered. Make it with New.
type Answers struct {
	config Config

	mu      sync.Mutex
	arrived chan struct{} // closed and renewed when an answer arrives
}

// New returns the keeper of answers.
func New(config Config) *Answers {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	return &Answers{config: config, arrived: make(chan struct{})}
}

// Types are the resource types that wait for answers.
func (a *Answers) Types() []*resources.Type {
	return []*resources.Type{a.customResource(), a.waitConditionHandle(), a.waitCondition()}
}

// kind is under which questions are stored, by the hash of their key.
const kind = "cfn-answer"

// maxAnswer is the most bytes of an answer ("Custom resource response objects":
// the response body can have up to 4096 bytes).
const maxAnswer = 4096

// maxAnswers is how many signals are kept for one wait condition; its Count
// has no limit on AWS [?].
const maxAnswers = 1000

// question is something that is waited for. Answers are kept in their order.
type question struct {
	Many    bool      // it takes several answers: of a wait condition
	Expires time.Time // after that nothing is taken any more
	Answers []string
	TooLong bool   // an answer had more than maxAnswer bytes
	GivenUp string // why nobody will answer any more
	Unheard bool   // the request reached no code that could do anything
}

// newKey returns a key that nobody can guess, and its hash, under which the
// question is stored: who reads the state file cannot answer with it.
func (a *Answers) newKey() (key, hash string, err error) {
	random := make([]byte, 32)
	if _, err := io.ReadFull(a.config.Rand, random); err != nil {
		return "", "", err
	}
	key = base64.RawURLEncoding.EncodeToString(random)
	return key, hashOf(key), nil
}

func hashOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

// address is the URL under which a question is answered.
func (a *Answers) address(key string) (string, error) {
	if a.config.Endpoint == nil {
		return "", errors.New("nobody could answer: the region has no address")
	}
	return a.config.Endpoint() + Path + "?" + url.Values{"key": {key}}.Encode(), nil
}

// keyIn returns the key in an address that address made.
func keyIn(address string) (key string, ok bool) {
	u, err := url.Parse(address)
	if err != nil || u.Path != Path {
		return "", false
	}
	key = u.Query().Get("key")
	return key, key != ""
}

func (a *Answers) ask(ctx context.Context, hash string, q question) error {
	return a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error { return tx.Put(kind, hash, q) })
}

func (a *Answers) forget(ctx context.Context, hash string) error {
	return a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error { return tx.Delete(kind, hash) })
}

// find returns a question; nil means that there is none.
func (a *Answers) find(ctx context.Context, hash string) (*question, error) {
	q := &question{}
	var found bool
	err := a.config.DB.View(ctx, func(tx *store.Tx) (err error) {
		found, err = tx.Get(kind, hash, q)
		return err
	})
	if err != nil || !found {
		return nil, err
	}
	return q, nil
}

// wait returns when enough says that the answers suffice, or at the deadline,
// with what there is then.
func (a *Answers) wait(ctx context.Context, hash string, deadline time.Time, enough func(*question) bool) (*question, error) {
	timer := time.NewTimer(deadline.Sub(a.config.Now()))
	defer timer.Stop()
	for late := false; ; {
		a.mu.Lock()
		arrived := a.arrived
		a.mu.Unlock()
		q, err := a.find(ctx, hash)
		if err != nil {
			return nil, err
		}
		if q == nil {
			q = &question{}
		}
		if late || enough(q) {
			return q, nil
		}
		select {
		case <-arrived:
		case <-timer.C:
			late = true
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// add keeps an answer, and reports whether the question takes it.
func (a *Answers) add(ctx context.Context, hash, answer string, tooLong bool) (taken bool, err error) {
	err = a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		q := &question{}
		taken = false
		found, err := tx.Get(kind, hash, q)
		if err != nil || !found || a.config.Now().After(q.Expires) || len(q.Answers) >= maxAnswers {
			return err
		}
		taken = true
		switch {
		case tooLong:
			q.TooLong = true
		case q.Many || len(q.Answers) == 0:
			q.Answers = append(q.Answers, answer)
		default:
			return nil // a repeated answer of a custom resource: the first one counts
		}
		tx.OnCommit(a.tell)
		return tx.Put(kind, hash, q)
	})
	return taken, err
}

func (a *Answers) tell() {
	a.mu.Lock()
	close(a.arrived)
	a.arrived = make(chan struct{})
	a.mu.Unlock()
}

// ServeHTTP takes an answer. Like the presigned URLs that CloudFormation hands
// out it asks for no signature and no content type, and tells nothing: any PUT
// to a URL that is known and has not expired is taken.
func (a *Answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPut {
		w.Header().Set("Allow", http.MethodPut)
		http.Error(w, "only PUT is answered here", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAnswer+1))
	if err != nil {
		http.Error(w, "the body ended before its end", http.StatusBadRequest)
		return
	}
	tooLong := len(body) > maxAnswer
	taken, err := a.add(r.Context(), hashOf(r.URL.Query().Get("key")), string(body), tooLong)
	switch {
	case err != nil:
		http.Error(w, "the answer could not be kept", http.StatusInternalServerError)
	case !taken:
		http.Error(w, "nobody waits for this answer: the URL is wrong or has expired", http.StatusForbidden)
	}
}

func failed(format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, "GeneralServiceException", format, args...)
}
