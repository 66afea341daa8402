// Package signin signs people in: with Twitter by OAuth 1.0a, as twurl does,
// and with the tokens of that at a Cognito identity pool, which gives temporary
// AWS credentials.
//
//	app := signin.Twitter{BaseURL: url, ConsumerKey: key, ConsumerSecret: secret}
//	profile, err := app.AuthorizeByPIN(ctx, os.Stdin, os.Stdout)      // twurl authorize
//	err = signin.SaveProfile(filepath.Join(home, ".twurlrc"), profile)
//
//	pool := signin.Pool{Endpoint: endpoint, ID: poolID}
//	session, err := pool.SignIn(ctx, signin.TwitterProvider, profile.Username, profile.Login())
//	err = signin.SaveSession(stageDir, session)
//	session, err = pool.Current(ctx, stageDir)                        // renewed when needed
//
// Nothing here knows whether Twitter and Cognito are the real ones or those of
// the embedded region.
package signin

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dghubble/oauth1"
)

// Twitter is an app registered with Twitter, and where that is.
type Twitter struct {
	// BaseURL is by default https://api.twitter.com.
	BaseURL string
	// ConsumerKey and ConsumerSecret are those of the app.
	ConsumerKey, ConsumerSecret string
	// Transport sends requests, by default http.DefaultTransport.
	Transport http.RoundTripper
	// Rand is the source of nonces, by default crypto/rand.
	Rand io.Reader
}

// Profile is a person's access token for an app, with twurl's names.
type Profile struct {
	Username       string
	ConsumerKey    string
	ConsumerSecret string
	Token          string
	Secret         string
}

// Login returns the profile's token as Cognito takes it for api.twitter.com:
// token and secret with a semicolon between them.
func (p Profile) Login() string { return p.Token + ";" + p.Secret }

// pending is a sign-in that waits for the person's decision (RFC 5849,
// section 2.2).
type pending struct {
	app           Twitter
	token, secret string
}

// AuthorizeByPIN goes through twurl's flow: it prints the URL of the page to
// out, reads the PIN that the page shows from in, and returns the tokens.
func (t Twitter) AuthorizeByPIN(ctx context.Context, in io.Reader, out io.Writer) (Profile, error) {
	p, err := t.begin(ctx, "oob")
	if err != nil {
		return Profile{}, err
	}
	page, err := p.authorizeURL()
	if err != nil {
		return Profile{}, err
	}
	fmt.Fprintf(out, "Go to %s and paste in the supplied PIN\n", page)
	line, err := bufio.NewReader(in).ReadString('\n')
	pin := strings.TrimSpace(line)
	if pin == "" {
		if err == nil || err == io.EOF {
			err = errors.New("no PIN was given")
		}
		return Profile{}, fmt.Errorf("sign-in cancelled: %w", err)
	}
	return p.finish(ctx, pin)
}

// begin gets a request token (RFC 5849, section 2.1).
func (t Twitter) begin(ctx context.Context, callback string) (*pending, error) {
	if t.ConsumerKey == "" || t.ConsumerSecret == "" {
		return nil, errors.New("the app's consumer key and consumer secret are needed")
	}
	token, secret, err := t.config(ctx, callback).RequestToken()
	if err != nil {
		return nil, t.explain("no request token", err)
	}
	return &pending{app: t, token: token, secret: secret}, nil
}

// finish exchanges the request token for an access token (section 2.3) and
// asks whose it is.
func (p *pending) finish(ctx context.Context, verifier string) (Profile, error) {
	config := p.app.config(ctx, "")
	token, secret, err := config.AccessToken(p.token, p.secret, verifier)
	if err != nil {
		return Profile{}, p.app.explain("no access token", err)
	}
	profile := Profile{ConsumerKey: p.app.ConsumerKey, ConsumerSecret: p.app.ConsumerSecret, Token: token, Secret: secret}
	profile.Username, err = p.app.screenName(ctx, profile)
	return profile, err
}

// screenName asks Twitter whom a token speaks for.
func (t Twitter) screenName(ctx context.Context, profile Profile) (string, error) {
	client := oauth1.NewClient(context.WithValue(ctx, oauth1.HTTPClient, t.client(ctx)), t.config(ctx, ""), oauth1.NewToken(profile.Token, profile.Secret))
	resp, err := client.Get(t.baseURL() + "/1.1/account/verify_credentials.json?include_entities=false&skip_status=true")
	if err != nil {
		return "", t.explain("whose token it is can't be asked", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", t.explain("whose token it is can't be asked", err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", t.explain("whose token it is was refused", fmt.Errorf("status %d: %.300s", resp.StatusCode, body))
	}
	var account struct {
		ScreenName string `json:"screen_name"`
	}
	if err := json.Unmarshal(body, &account); err != nil || account.ScreenName == "" {
		return "", t.explain("whose token it is was not said", fmt.Errorf("got %.300s", body))
	}
	return account.ScreenName, nil
}

// authorizeURL returns the page's address with the parameters that twurl puts
// there: those of a signed request, encoded once more.
func (p *pending) authorizeURL() (string, error) {
	var authorization string
	capture := roundTripper(func(r *http.Request) (*http.Response, error) {
		authorization = r.Header.Get("Authorization")
		return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: r}, nil
	})
	ctx := context.WithValue(context.Background(), oauth1.HTTPClient, &http.Client{Transport: capture})
	page := p.app.baseURL() + "/oauth/authorize"
	resp, err := oauth1.NewClient(ctx, p.app.config(ctx, ""), oauth1.NewToken(p.token, p.secret)).Get(page)
	if err != nil {
		return "", err
	}
	resp.Body.Close()
	var query []string
	for pair := range strings.SplitSeq(strings.TrimPrefix(authorization, "OAuth "), ", ") {
		name, value, _ := strings.Cut(pair, "=")
		query = append(query, name+"="+url.QueryEscape(strings.Trim(value, `"`)))
	}
	return page + "?" + strings.Join(query, "&"), nil
}

// config returns a configuration for one use: the library writes to it.
func (t Twitter) config(ctx context.Context, callback string) *oauth1.Config {
	base := t.baseURL()
	return &oauth1.Config{
		ConsumerKey:    t.ConsumerKey,
		ConsumerSecret: t.ConsumerSecret,
		CallbackURL:    callback,
		Endpoint: oauth1.Endpoint{
			RequestTokenURL: base + "/oauth/request_token",
			AuthorizeURL:    base + "/oauth/authorize",
			AccessTokenURL:  base + "/oauth/access_token",
		},
		Noncer:     noncer{t.Rand},
		HTTPClient: t.client(ctx),
	}
}

func (t Twitter) baseURL() string {
	if t.BaseURL == "" {
		return "https://api.twitter.com"
	}
	return strings.TrimSuffix(t.BaseURL, "/")
}

func (t Twitter) client(ctx context.Context) *http.Client {
	return boundedClient(ctx, t.Transport)
}

// explain says where an error comes from and what to do.
func (t Twitter) explain(what string, err error) error {
	hint := ""
	if strings.Contains(err.Error(), "invalid status 40") {
		hint = " (are consumer key and secret those of the app?)"
	}
	if strings.Contains(err.Error(), "oauth_verifier") {
		hint = " (the PIN is wrong or was used: begin again)"
	}
	return fmt.Errorf("sign-in at %s: %s: %w%s", t.baseURL(), what, err, hint)
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 1 << 20

// boundedClient returns a client whose requests end with ctx or after half a
// minute, whose answers are bounded, and which does not follow redirects.
func boundedClient(ctx context.Context, transport http.RoundTripper) *http.Client {
	if transport == nil {
		transport = http.DefaultTransport
	}
	return &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			// The library makes requests without a context of ours.
			joined, cancel := context.WithCancel(r.Context())
			stop := context.AfterFunc(ctx, cancel)
			end := func() { stop(); cancel() }
			resp, err := transport.RoundTrip(r.WithContext(joined))
			if err != nil {
				end()
				return nil, errors.Join(ctx.Err(), err)
			}
			resp.Body = boundedBody{io.LimitReader(resp.Body, maxAnswer), resp.Body, end}
			return resp, nil
		}),
	}
}

type boundedBody struct {
	io.Reader
	body io.Closer
	end  func()
}

func (b boundedBody) Close() error {
	defer b.end()
	return b.body.Close()
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// noncer makes nonces like those of twurl: forty letters and digits.
type noncer struct{ rand io.Reader }

func (n noncer) Nonce() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	source := n.rand
	if source == nil {
		source = rand.Reader
	}
	nonce := make([]byte, 40)
	// A source that fails leaves a nonce that the provider refuses as used.
	_, _ = io.ReadFull(source, nonce)
	for i, b := range nonce {
		nonce[i] = letters[int(b)%len(letters)]
	}
	return string(nonce)
}
