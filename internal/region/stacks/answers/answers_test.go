package answers

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/store"
)

func open(t testing.TB, now *time.Time) *Answers {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return New(Config{DB: db, Endpoint: func() string { return "http://127.0.0.1:4000" }, Now: func() time.Time { return *now }})
}

// asked opens a question and returns the URL under which it is answered.
func asked(t testing.TB, a *Answers, many bool, expires time.Time) (address, hash string) {
	t.Helper()
	key, hash, err := a.newKey()
	if err != nil {
		t.Fatal(err)
	}
	if address, err = a.address(key); err != nil {
		t.Fatal(err)
	}
	if err := a.ask(context.Background(), hash, question{Many: many, Expires: expires}); err != nil {
		t.Fatal(err)
	}
	return address, hash
}

func put(a *Answers, address, body string) int {
	w := httptest.NewRecorder()
	a.ServeHTTP(w, httptest.NewRequest(http.MethodPut, address, strings.NewReader(body)))
	return w.Code
}

func TestAURLExpires(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := open(t, &now)
	address, _ := asked(t, a, true, now.Add(time.Hour))
	if code := put(a, address, "{}"); code != http.StatusOK {
		t.Errorf("in time: %d", code)
	}
	now = now.Add(2 * time.Hour)
	if code := put(a, address, "{}"); code != http.StatusForbidden {
		t.Errorf("too late: %d", code)
	}
}

func TestTheFirstAnswerCounts(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := open(t, &now)
	address, hash := asked(t, a, false, now.Add(time.Hour))
	put(a, address, "first")
	put(a, address, "second")
	q, err := a.find(t.Context(), hash)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"first"}, q.Answers); diff != "" {
		t.Error(diff)
	}
}

// The wait ends when nobody will answer any more, long before its deadline.
func TestARequestThatIsGivenUp(t *testing.T) {
	for _, test := range []struct {
		name, errorType string
		attempts        int
		answer          string
		want            question
		hopeless        bool
	}{
		{"after its retries", "Error", 3, "", question{GivenUp: "why"}, false},
		{"not loaded", "Runtime.ImportModuleError", 1, "", question{GivenUp: "why", Unheard: true}, true},
		{"not loaded any more", "Runtime.ImportModuleError", 2, "", question{GivenUp: "why"}, true},
		{"answered before", "Error", 3, "{}", question{Answers: []string{"{}"}, GivenUp: "why"}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			a := open(t, &now)
			test.want.Expires = now.Add(time.Hour)
			address, hash := asked(t, a, false, test.want.Expires)
			if test.answer != "" {
				put(a, address, test.answer)
			}
			payload := []byte(`{"ResponseURL":"` + address + `"}`)
			if got := a.Hopeless(payload, test.errorType); got != test.hopeless {
				t.Errorf("hopeless: %v", got)
			}
			given := make(chan error)
			go func() { given <- a.GivenUp(t.Context(), payload, test.attempts, test.errorType, "why") }()
			q, err := a.wait(t.Context(), hash, test.want.Expires, func(q *question) bool { return q.GivenUp != "" })
			if err := errors.Join(err, <-given); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, q); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Calls that nobody waits for are not meant.
func TestOtherCallsAreNotGivenUp(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := open(t, &now)
	address, hash := asked(t, a, true, now.Add(time.Hour))
	for _, payload := range []string{`[]`, `{}`, `{"ResponseURL":"https://elsewhere.example/?key=k"}`, `{"ResponseURL":"` + address + `"}`} {
		if err := a.GivenUp(t.Context(), []byte(payload), 1, "Error", "why"); err != nil {
			t.Errorf("%s: %v", payload, err)
		}
	}
	if a.Hopeless([]byte(`{}`), "Runtime.ImportModuleError") {
		t.Error("any call is hopeless")
	}
	if q, err := a.find(t.Context(), hash); err != nil || q.GivenUp != "" {
		t.Errorf("a wait condition: %+v, %v", q, err)
	}
}

func TestSignalsAreBounded(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := open(t, &now)
	full := question{Many: true, Expires: now.Add(time.Hour), Answers: make([]string, maxAnswers)}
	if err := a.ask(t.Context(), hashOf("k"), full); err != nil {
		t.Fatal(err)
	}
	if code := put(a, "http://x"+Path+"?key=k", "{}"); code != http.StatusForbidden {
		t.Errorf("one more than %d: %d", maxAnswers, code)
	}
}

func TestDurations(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"PT15M", 15 * time.Minute, true}, {"PT1H30M10S", 90*time.Minute + 10*time.Second, true}, {"PT0S", 0, true},
		{"PT", 0, false}, {"15M", 0, false}, {"PT-5M", 0, false}, {"P1D", 0, false}, {"", 0, false},
	}
	for _, test := range tests {
		if got, ok := parseDuration(test.text); got != test.want || ok != test.ok {
			t.Errorf("%q: %v, %v", test.text, got, ok)
		}
	}
}

func TestTextsOfProperties(t *testing.T) {
	got := texts(map[string]any{"N": 3.5, "B": true, "S": "s", "L": []any{false, nil}})
	if diff := cmp.Diff(map[string]any{"N": "3.5", "B": "true", "S": "s", "L": []any{"false", nil}}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzResponse reads responses that anybody may have sent: what is taken for a
// success has a status that says so, and no physical id is over the limit.
func FuzzResponse(f *testing.F) {
	for _, seed := range []string{
		`{"Status":"SUCCESS","PhysicalResourceId":"p","Data":{"A":"b"}}`, `{"Status":"FAILED","Reason":"r"}`, `{"Status":1}`, `[]`, `null`, ``, `{"Data":"x"}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseResponse(text)
		if err == nil && r.Status != "SUCCESS" && r.Status != "FAILED" {
			t.Errorf("taken with status %q", r.Status)
		}
		if state := r.state("otherwise"); state.ID == "" || len(state.ID) > maxPhysicalID {
			t.Errorf("a physical id of %d bytes", len(state.ID))
		}
	})
}

// FuzzSignals reads the bodies of signals: none counts twice, and one that is
// no signal not at all.
func FuzzSignals(f *testing.F) {
	f.Add(`{"Status":"SUCCESS","UniqueId":"a","Data":"d"}`, `{"Status":"FAILURE","UniqueId":"b","Reason":"r"}`)
	f.Add(``, `{"Status":"SUCCESS"}`)
	f.Fuzz(func(t *testing.T, first, second string) {
		once := read(&question{Answers: []string{first, second}})
		twice := read(&question{Answers: []string{first, second, first, second}})
		if diff := cmp.Diff(once.data, twice.data); diff != "" {
			t.Errorf("repeated signals count: %s", diff)
		}
		if (once.failure == nil) != (twice.failure == nil) {
			t.Error("a repeated signal changes what failed")
		}
	})
}

// FuzzPut sends any body to a URL that waits and to one that does not.
func FuzzPut(f *testing.F) {
	f.Add("key", "{}")
	f.Add("", strings.Repeat("x", maxAnswer+1))
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	a := open(f, &now)
	f.Fuzz(func(t *testing.T, key, body string) {
		address, hash := asked(t, a, false, now.Add(time.Hour))
		if code := put(a, address, body); code != http.StatusOK {
			t.Errorf("an answer that is waited for: %d", code)
		}
		q, err := a.find(t.Context(), hash)
		if err != nil || q.TooLong != (len(body) > maxAnswer) || !q.TooLong && q.Answers[0] != strings.ToValidUTF8(body, "\uFFFD") && q.Answers[0] != body {
			t.Errorf("kept: %+v, %v", q, err)
		}
		r := httptest.NewRequest(http.MethodPut, "http://x"+Path, strings.NewReader(body))
		r.URL.RawQuery = "key=" + key
		w := httptest.NewRecorder()
		if a.ServeHTTP(w, r); w.Code != http.StatusForbidden {
			t.Errorf("a guessed key: %d", w.Code)
		}
	})
}
