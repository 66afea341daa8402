package signin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/twitter"
)

const (
	testKey    = "gyMbPOiwefr6x63SjIW8NN0d1"
	testSecret = "an-invented-secret"
)

// newTwitter returns a client of a Twitter stand-in.
func newTwitter(t *testing.T) Twitter {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "region.db"))
	if err != nil {
		t.Fatal(err)
	}
	provider, err := twitter.New(twitter.Config{Store: db, Consumers: func(key string) (string, []string) {
		if key != testKey {
			return "", nil
		}
		return "my app", []string{testSecret}
	}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(provider)
	t.Cleanup(func() {
		server.Close()
		db.Close()
	})
	return Twitter{BaseURL: server.URL, ConsumerKey: testKey, ConsumerSecret: testSecret}
}

// submit fills in the form of a page as a browser does, and returns what comes.
func submit(t *testing.T, app Twitter, page string, fields url.Values) *http.Response {
	t.Helper()
	form, err := app.openPage(t.Context(), page)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range fields {
		form.fields[name] = values
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(form.action, form.fields)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// browser is the person at the terminal: it reads the URL, signs in with the
// page and types the PIN.
type browser struct {
	t    *testing.T
	app  Twitter
	said bytes.Buffer
}

func (b *browser) Write(p []byte) (int, error) { return b.said.Write(p) }

func (b *browser) Read(p []byte) (int, error) {
	match := regexp.MustCompile(`^Go to (\S+) and paste in the supplied PIN\n$`).FindStringSubmatch(b.said.String())
	if match == nil {
		b.t.Fatalf("the text is not twurl's: %q", b.said.String())
	}
	resp := submit(b.t, b.app, match[1], url.Values{"screen_name": {"fanjiewang"}})
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	pin, problem := readPIN(string(body))
	if pin == "" {
		b.t.Fatal(problem)
	}
	return copy(p, pin+"\n"), nil
}

func TestAuthorizeByPIN(t *testing.T) {
	app := newTwitter(t)
	terminal := &browser{t: t, app: app}
	profile, err := app.AuthorizeByPIN(t.Context(), terminal, terminal)
	if err != nil {
		t.Fatal(err)
	}
	if profile.Username != "fanjiewang" || !regexp.MustCompile(`^[0-9]+-[A-Za-z0-9]{40};[A-Za-z0-9]{45}$`).MatchString(profile.Login()) {
		t.Errorf("got %+v", profile)
	}
}

// The tutorial shows twurl's URL: these parameters in this order, and the
// signature encoded twice.
func TestTheURLIsLikeThatOfTwurl(t *testing.T) {
	p := pending{app: Twitter{ConsumerKey: testKey, ConsumerSecret: testSecret}, token: "PAXt3wAAAAABMhofAAABd4CHeJY", secret: "s"}
	page, err := p.authorizeURL()
	if err != nil {
		t.Fatal(err)
	}
	want := `^https://api\.twitter\.com/oauth/authorize\?oauth_consumer_key=` + testKey + `&oauth_nonce=[A-Za-z0-9]{40}&oauth_signature=[A-Za-z0-9]+(%25(2B|2F)[A-Za-z0-9]*)*%253D&oauth_signature_method=HMAC-SHA1&oauth_timestamp=[0-9]+&oauth_token=PAXt3wAAAAABMhofAAABd4CHeJY&oauth_version=1\.0$`
	if !regexp.MustCompile(want).MatchString(page) {
		t.Errorf("got %s", page)
	}
}

func TestAuthorizeWithoutAPIN(t *testing.T) {
	app := newTwitter(t)
	var out bytes.Buffer
	if _, err := app.AuthorizeByPIN(t.Context(), strings.NewReader("\n"), &out); err == nil {
		t.Error("no PIN was taken for one")
	}
	if _, err := app.AuthorizeByPIN(t.Context(), strings.NewReader("1234567\n"), &out); err == nil || !strings.Contains(err.Error(), "Invalid oauth_verifier") {
		t.Errorf("an invented PIN: %v", err)
	}
}

func TestAuthorizeAs(t *testing.T) {
	app := newTwitter(t)
	profile, err := app.AuthorizeAs(t.Context(), "alice")
	if err != nil || profile.Username != "alice" {
		t.Fatal(profile, err)
	}
	if _, err := app.AuthorizeAs(t.Context(), "not a name"); err == nil || !strings.Contains(err.Error(), "A screen name has 1 to 32") {
		t.Errorf("got %v", err)
	}
	app.ConsumerSecret = "wrong"
	if _, err := app.AuthorizeAs(t.Context(), "alice"); err == nil || !strings.Contains(err.Error(), "are consumer key and secret those of the app?") {
		t.Errorf("got %v", err)
	} else if strings.Contains(err.Error(), "wrong") {
		t.Errorf("the secret is in the error: %v", err)
	}
}

func TestAuthorizeAsNeedsTheStandIn(t *testing.T) {
	page := `<form action="https://evil.example/"><input name="screen_name"></form>`
	for name, test := range map[string]struct{ page, want string }{
		"another page": {"<form><input name=session[username]></form>", "works with the Twitter stand-in only"},
		"sent away":    {page, "would be sent elsewhere"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					fmt.Fprint(w, "oauth_token=t&oauth_token_secret=s&oauth_callback_confirmed=true")
					return
				}
				fmt.Fprint(w, test.page)
			}))
			defer server.Close()
			app := Twitter{BaseURL: server.URL, ConsumerKey: "k", ConsumerSecret: "s"}
			if _, err := app.AuthorizeAs(t.Context(), "alice"); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAuthorizeByCallback(t *testing.T) {
	app := newTwitter(t)
	press := func(fields url.Values) func(string) error {
		return func(page string) error {
			resp := submit(t, app, page, fields)
			resp.Body.Close()
			back := resp.Header.Get("Location")
			stray, err := http.Get(back + "x")
			if err != nil {
				return err
			}
			stray.Body.Close()
			if stray.StatusCode != http.StatusNotFound && fields.Has("cancel") {
				t.Errorf("another token was taken: %s", stray.Status)
			}
			answer, err := http.Get(back)
			if err != nil {
				return err
			}
			return answer.Body.Close()
		}
	}
	_, err := app.AuthorizeByCallback(t.Context(), press(url.Values{"cancel": {"Cancel"}}))
	if !errors.Is(err, errCancelled) {
		t.Errorf("cancelled: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = app.AuthorizeByCallback(ctx, func(string) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("ended: %v", err)
	}
}

func TestAuthorizeByCallbackSignsIn(t *testing.T) {
	app := newTwitter(t)
	profile, err := app.AuthorizeByCallback(t.Context(), func(page string) error {
		resp := submit(t, app, page, url.Values{"screen_name": {"alice"}})
		resp.Body.Close()
		answer, err := http.Get(resp.Header.Get("Location"))
		if err != nil {
			return err
		}
		return answer.Body.Close()
	})
	if err != nil || profile.Username != "alice" {
		t.Errorf("got %+v, %v", profile, err)
	}
}

const tutorialTwurlrc = `---
profiles:
  fanjiewang:
    gyMbPOiwefr6x63SjIW8NN0d1:
      username: fanjiewang
      consumer_key: gyMbPOiwefr6x63SjIW8NN0d1
      consumer_secret: not-the-tutorials
      token: 29528254-ULNl2qISn2wEtmHUj1VJ4ZhQrNezi2SH2MP4b8lSV
      secret: v769kf
configuration:
  default_profile:
  - fanjiewang
  - gyMbPOiwefr6x63SjIW8NN0d1
`

func TestTwurlrc(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".twurlrc")
	first := Profile{"fanjiewang", testKey, "not-the-tutorials", "29528254-ULNl2qISn2wEtmHUj1VJ4ZhQrNezi2SH2MP4b8lSV", "v769kf"}
	if err := SaveProfile(path, first); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(tutorialTwurlrc, readFile(t, path)); diff != "" {
		t.Errorf("a new file (-want +got):\n%s", diff)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	second := Profile{"12345", "other", "s", "t", "u"}
	if err := SaveProfile(path, second); err != nil {
		t.Fatal(err)
	}
	for _, want := range []Profile{first, second} {
		if got, err := LoadProfile(path, want.Username, want.ConsumerKey); got != want || err != nil {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	if got, err := LoadProfile(path, "", ""); got != first || err != nil {
		t.Errorf("the default profile is %+v, %v", got, err)
	}
	if _, err := LoadProfile(path, "nobody", ""); err == nil || !strings.Contains(err.Error(), "roost twitter authorize") {
		t.Errorf("nobody: %v", err)
	}
}

func TestTwurlrcKeepsWhatItDoesNotKnow(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".twurlrc")
	target := filepath.Join(t.TempDir(), "dotfiles")
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
	before := "---\nprofiles: {}\naliases:\n  me: /1.1/account\nconfiguration:\n  default_profile:\n  - a\n  - b\n"
	if err := os.WriteFile(target, []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := SaveProfile(path, Profile{"alice", "k", "s", "t", "u"}); err != nil {
		t.Fatal(err)
	}
	want := "---\nprofiles:\n  alice:\n    k:\n      username: alice\n      consumer_key: k\n      consumer_secret: s\n      token: t\n      secret: u\n" + strings.TrimPrefix(before, "---\nprofiles: {}\n")
	if diff := cmp.Diff(want, readFile(t, target)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, other := range []string{"- a list", "profiles: 3", "\t:", "a: b: c"} {
		if err := os.WriteFile(target, []byte(other), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := SaveProfile(path, Profile{}); err == nil || readFile(t, target) != other {
			t.Errorf("%q: %v, and then %q", other, err, readFile(t, target))
		}
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func FuzzTwurlrc(f *testing.F) {
	f.Add(tutorialTwurlrc)
	f.Add("profiles:\n  &a a: *a\n")
	f.Fuzz(func(t *testing.T, before string) {
		path := filepath.Join(t.TempDir(), ".twurlrc")
		if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		want := Profile{"alice", "k", "s", "t", "u"}
		if SaveProfile(path, want) != nil {
			return
		}
		if got, err := LoadProfile(path, "alice", "k"); err == nil && got != want {
			t.Fatalf("kept %+v", got)
		}
	})
}

func FuzzPage(f *testing.F) {
	f.Add(`<form action="/x"><input name=screen_name></form><code id="pin">1234567</code>`)
	f.Fuzz(func(t *testing.T, page string) {
		if found := readForm(page); found != nil && !found.fields.Has("screen_name") {
			t.Fatal("a form without the field was taken")
		}
		readPIN(page)
	})
}
