package signin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
)

// AuthorizeByCallback signs a person in with a browser: it listens on a port
// of 127.0.0.1, calls open with the URL of the page, and waits until the page
// sends the browser back, or ctx ends.
func (t Twitter) AuthorizeByCallback(ctx context.Context, open func(page string) error) (Profile, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return Profile{}, err
	}
	p, err := t.begin(ctx, "http://"+listener.Addr().String()+"/callback")
	if err != nil {
		listener.Close()
		return Profile{}, err
	}
	page, err := p.authorizeURL()
	if err != nil {
		listener.Close()
		return Profile{}, err
	}
	answers := make(chan callbackAnswer, 1)
	server := &http.Server{Handler: p.callback(answers), ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	go server.Serve(listener)
	defer func() {
		// The browser still gets its page, but it can't hold the command up.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if server.Shutdown(ending) != nil {
			server.Close()
		}
	}()
	if err := open(page); err != nil {
		return Profile{}, err
	}
	select {
	case <-ctx.Done():
		return Profile{}, fmt.Errorf("nobody signed in: %w", ctx.Err())
	case answer := <-answers:
		if answer.denied {
			return Profile{}, errCancelled
		}
		return p.finish(ctx, answer.verifier)
	}
}

var errCancelled = errors.New("the sign-in was cancelled on the page")

type callbackAnswer struct {
	verifier string
	denied   bool
}

// callback takes the browser back. What does not carry our request token is
// not for us.
func (p *pending) callback(answers chan<- callbackAnswer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		answer := callbackAnswer{verifier: query.Get("oauth_verifier"), denied: query.Get("denied") == p.token}
		if r.URL.Path != "/callback" || !answer.denied && (query.Get("oauth_token") != p.token || answer.verifier == "") {
			http.Error(w, "This is not the answer to the sign-in that is under way.", http.StatusNotFound)
			return
		}
		select {
		case answers <- answer:
		default: // a reload
		}
		text := "You are signed in: return to the terminal."
		if answer.denied {
			text = "The sign-in is cancelled: return to the terminal."
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Referrer-Policy", "no-referrer")
		_, _ = io.WriteString(w, text+"\n")
	})
}

// AuthorizeAs signs in without a browser at the Twitter stand-in, by filling
// in its page's form with a screen name. The real Twitter asks for a password
// and can't be signed in to like this.
func (t Twitter) AuthorizeAs(ctx context.Context, screenName string) (Profile, error) {
	p, err := t.begin(ctx, "oob")
	if err != nil {
		return Profile{}, err
	}
	page, err := p.authorizeURL()
	if err != nil {
		return Profile{}, err
	}
	form, err := t.openPage(ctx, page)
	if err != nil {
		return Profile{}, err
	}
	form.fields.Set("screen_name", screenName)
	body, err := t.fetch(ctx, http.MethodPost, form.action, form.fields)
	if err != nil {
		return Profile{}, err
	}
	pin, problem := readPIN(body)
	if pin == "" {
		return Profile{}, fmt.Errorf("sign-in at %s as %q: %s", t.baseURL(), screenName, problem)
	}
	return p.finish(ctx, pin)
}

// form is an HTML form that has a field screen_name.
type form struct {
	action string
	fields url.Values
}

func (t Twitter) openPage(ctx context.Context, page string) (*form, error) {
	body, err := t.fetch(ctx, http.MethodGet, page, nil)
	if err != nil {
		return nil, err
	}
	found := readForm(body)
	if found == nil {
		return nil, fmt.Errorf("the page at %s has no field screen_name: signing in without a browser works with the Twitter stand-in only", t.baseURL())
	}
	action, err := url.Parse(page)
	if err == nil {
		action, err = action.Parse(found.action)
	}
	if err != nil || action.Scheme+"://"+action.Host != t.baseURL() {
		return nil, fmt.Errorf("the form at %s would be sent elsewhere, to %q", t.baseURL(), found.action)
	}
	found.action = action.String()
	return found, nil
}

// fetch sends what a browser would and returns the page.
func (t Twitter) fetch(ctx context.Context, method, address string, fields url.Values) (string, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(fields.Encode()))
	if err != nil {
		return "", err
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := t.client(ctx).Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// readForm returns the form with a field screen_name in a page, or nil. Submit
// buttons are not pressed.
func readForm(page string) *form {
	tree, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return nil
	}
	for node := range tree.Descendants() {
		if node.Type != html.ElementNode || node.Data != "form" {
			continue
		}
		found := &form{action: attribute(node, "action"), fields: url.Values{}}
		for input := range node.Descendants() {
			if kind := attribute(input, "type"); input.Data == "input" && kind != "submit" && kind != "button" {
				found.fields.Set(attribute(input, "name"), attribute(input, "value"))
			}
		}
		if found.fields.Has("screen_name") {
			return found
		}
	}
	return nil
}

// readPIN returns the PIN that a page shows, or what it says instead.
func readPIN(page string) (pin, problem string) {
	tree, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return "", "the answer is no page"
	}
	problem = "the page shows no PIN"
	for node := range tree.Descendants() {
		switch {
		case node.Type == html.ElementNode && node.Data == "code" && attribute(node, "id") == "pin":
			return text(node), ""
		case attribute(node, "class") == "problem":
			problem = text(node)
		}
	}
	return "", problem
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(node *html.Node) string {
	var out strings.Builder
	for child := range node.Descendants() {
		if child.Type == html.TextNode {
			out.WriteString(child.Data)
		}
	}
	return strings.TrimSpace(out.String())
}
