package twitter

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
)

//go:embed page.html
var pageHTML string

// view is what the page shows: the form, the PIN, or a notice.
type view struct {
	App        string
	Token      string
	ScreenName string
	Problem    string // with the form: what to correct
	PIN        string
	Notice     string
}

// usedToken is Twitter's text for a request token that can't be authorized.
const usedToken = "Whoa there! The request token for this page is invalid. It may have already been used, or expired because it is too old. Please go back to the site or application that sent you here and try again; it was probably just a mistake."

// showPage answers GET /oauth/authorize and /oauth/authenticate. Nobody is
// ever signed in to the stand-in, so force_login changes nothing; screen_name
// fills the field.
func (p *Provider) showPage(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	name := query.Get("oauth_token")
	request, err := p.pendingRequest(r.Context(), name)
	if err != nil {
		return p.refusePage(w, err)
	}
	return p.render(w, http.StatusOK, p.form(name, request, query.Get("screen_name")))
}

func (p *Provider) form(name string, request requestToken, screenName string) view {
	app, _ := p.config.Consumers(request.ConsumerKey)
	if app == "" {
		app = request.ConsumerKey
	}
	return view{App: app, Token: name, ScreenName: screenName}
}

// pendingRequest returns a request token that waits for a person's decision.
func (p *Provider) pendingRequest(ctx context.Context, name string) (request requestToken, err error) {
	err = p.config.Store.View(ctx, func(tx *store.Tx) error {
		request, err = p.pending(tx, name)
		return err
	})
	return request, err
}

func (p *Provider) pending(tx *store.Tx, name string) (requestToken, error) {
	request, err := p.liveRequestToken(tx, name)
	if err == nil && request.Verifier != "" {
		err = invalidToken("this request token has been authorized already")
	}
	return request, err
}

// decide answers the form: it authorizes the request token for the person who
// signed in, or cancels it. A form that another site made the browser send is
// refused by what browsers say of its origin (Sec-Fetch-Site and Origin); there
// is no session that a hidden token could be bound to.
func (p *Provider) decide(w http.ResponseWriter, r *http.Request) error {
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return p.refusePage(w, &apiError{status: http.StatusForbidden, reason: "the form was sent from another site"})
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	name := r.Form.Get("oauth_token")
	if r.PostForm.Has("cancel") {
		return p.cancel(w, r, name)
	}
	screenName := strings.TrimPrefix(strings.TrimSpace(r.PostForm.Get("screen_name")), "@")
	if !validScreenName(screenName) {
		request, err := p.pendingRequest(r.Context(), name)
		if err != nil {
			return p.refusePage(w, err)
		}
		form := p.form(name, request, screenName)
		form.Problem = "A screen name has 1 to 32 letters, digits or underscores."
		return p.render(w, http.StatusBadRequest, form)
	}
	return p.authorize(w, r, name, screenName)
}

func (p *Provider) authorize(w http.ResponseWriter, r *http.Request, name, screenName string) error {
	var request requestToken
	err := p.config.Store.Update(r.Context(), func(_ context.Context, tx *store.Tx) error {
		var err error
		if request, err = p.pending(tx, name); err != nil {
			return err
		}
		who, err := p.signedInUser(tx, screenName)
		if err != nil {
			return err
		}
		request.UserKey = strings.ToLower(who.ScreenName)
		if request.Verifier, err = p.newVerifier(request.Callback); err != nil {
			return err
		}
		return tx.Put(kindRequest, name, request)
	})
	if err != nil {
		return p.refusePage(w, err)
	}
	if request.Callback == "oob" {
		app, _ := p.config.Consumers(request.ConsumerKey)
		return p.render(w, http.StatusOK, view{App: app, PIN: request.Verifier})
	}
	redirect(w, request.Callback, "oauth_token", name, "oauth_verifier", request.Verifier)
	return nil
}

// newVerifier returns a PIN of seven digits for a person to copy, or a long
// text for a callback.
func (p *Provider) newVerifier(callback string) (string, error) {
	if callback != "oob" {
		texts, err := p.randomTexts(32)
		return strings.Join(texts, ""), err
	}
	var pin strings.Builder
	for range 7 {
		digit, err := p.randomBelow(10)
		if err != nil {
			return "", err
		}
		pin.WriteByte(byte('0' + digit))
	}
	return pin.String(), nil
}

// cancel ends a request token and tells the app so, by Twitter's parameter
// denied.
func (p *Provider) cancel(w http.ResponseWriter, r *http.Request, name string) error {
	var request requestToken
	err := p.config.Store.Update(r.Context(), func(_ context.Context, tx *store.Tx) error {
		var err error
		if request, err = p.pending(tx, name); err != nil {
			return err
		}
		return tx.Delete(kindRequest, name)
	})
	if err != nil {
		return p.refusePage(w, err)
	}
	if request.Callback != "oob" {
		redirect(w, request.Callback, "denied", name)
		return nil
	}
	app, _ := p.config.Consumers(request.ConsumerKey)
	return p.render(w, http.StatusOK, view{App: app, Notice: "OK, you've denied " + app + " access to interact with your account!"})
}

// redirect sends the browser to a callback with further query parameters,
// those that it has untouched.
func redirect(w http.ResponseWriter, callback string, namesAndValues ...string) {
	separator := "?"
	if strings.Contains(callback, "?") {
		separator = "&"
	}
	for i := 0; i < len(namesAndValues); i += 2 {
		callback += separator + namesAndValues[i] + "=" + url.QueryEscape(namesAndValues[i+1])
		separator = "&"
	}
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Location", callback)
	w.WriteHeader(http.StatusFound)
}

// refusePage shows a refusal as a page; other errors are returned.
func (p *Provider) refusePage(w http.ResponseWriter, err error) error {
	var refusal *apiError
	if !errors.As(err, &refusal) {
		return err
	}
	w.Header().Set("Roost-Reason", headerText(refusal.reason))
	return p.render(w, http.StatusForbidden, view{Notice: usedToken})
}

// render writes the page. The policy has no form-action: browsers would apply
// it to the redirect to the app's callback, too.
func (p *Provider) render(w http.ResponseWriter, status int, v view) error {
	var page bytes.Buffer
	if err := p.page.Execute(&page, v); err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w)
	return nil
}
