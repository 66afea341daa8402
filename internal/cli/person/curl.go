package person

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/cli/target"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/term"
	"github.com/seed-615d3599/roost/sigv4"
)

// Curl is "roost curl".
type Curl struct {
	URL     string   `arg:"" name:"path|url" help:"A path of the stage's ApiEndpoint, or a whole URL."`
	Method  string   `short:"X" name:"request" placeholder:"METHOD" help:"The method; by default GET, or POST with -d."`
	Data    *string  `short:"d" placeholder:"BODY" help:"The body; @FILE reads it from a file, @- from standard input."`
	Headers []string `short:"H" name:"header" sep:"none" placeholder:"NAME: VALUE" help:"A header; may be given several times."`
	Include bool     `short:"i" help:"Print status and headers too."`
	Fail    bool     `short:"f" help:"Exit with 1 when the status is 400 or more."`
	Stage   string   `help:"The stage; by default the one in roost.json, or dev."`
	Dir     string   `default:"." help:"The app's folder."`
}

// Run sends one signed request and prints the answer.
func (c *Curl) Run(ctx context.Context, s *session.Session) error {
	app, err := stageOf(c.Dir, c.Stage)
	if err != nil {
		return err
	}
	r, err := c.request(ctx, s, app)
	if err != nil {
		return err
	}
	keys, err := current(ctx, app)
	if err != nil {
		return err
	}
	last, err := target.Last(app)
	if err != nil {
		return err
	}
	signer := sigv4.Signer{Service: "execute-api", Region: last.Region, Credentials: sigv4.Credentials{
		AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken}}
	if err := signer.Sign(r, ""); err != nil {
		return err
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		return term.WithHint(err, "is the region running? \"roost start\" starts it")
	}
	defer resp.Body.Close()
	return c.print(s, resp)
}

// request makes the request that is asked for, not yet signed.
func (c *Curl) request(ctx context.Context, s *session.Session, app *config.App) (*http.Request, error) {
	address, err := c.address(app)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	method := http.MethodGet
	if c.Data != nil {
		data, err := s.Argument(ctx, *c.Data)
		if err != nil {
			return nil, err
		}
		body, method = strings.NewReader(data), http.MethodPost
	}
	if c.Method != "" {
		method = c.Method
	}
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, session.Usage{Err: err}
	}
	r.Header.Set("User-Agent", "roost")
	if c.Data != nil {
		r.Header.Set("Content-Type", contentType(*c.Data))
	}
	for _, h := range c.Headers {
		name, value, found := strings.Cut(h, ":")
		if !found || strings.TrimSpace(name) == "" {
			return nil, session.Usage{Err: fmt.Errorf("-H %q: write NAME: VALUE", h)}
		}
		if http.CanonicalHeaderKey(strings.TrimSpace(name)) == "Host" {
			r.Host = strings.TrimSpace(value)
			continue
		}
		if len(r.Header.Values(name)) > 0 && http.CanonicalHeaderKey(name) == "Content-Type" {
			r.Header.Del(name)
		}
		r.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return r, nil
}

// contentType guesses as little as it can: what looks like JSON is JSON, and
// the rest is what curl says it is.
func contentType(data string) string {
	if trimmed := strings.TrimSpace(data); strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") {
		return "application/json"
	}
	return "application/x-www-form-urlencoded"
}

// address returns the URL to call.
func (c *Curl) address(app *config.App) (string, error) {
	if u, err := url.Parse(c.URL); err == nil && u.IsAbs() {
		return c.URL, nil
	}
	endpoint, err := output(app, config.EndpointOutput)
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(endpoint, "/") + "/" + strings.TrimPrefix(c.URL, "/"), nil
}

// print writes the answer. On a terminal a body without a line break at its end
// gets one.
func (c *Curl) print(s *session.Session, resp *http.Response) error {
	if c.Include {
		fmt.Fprintf(s.Out, "%s %s\n", resp.Proto, resp.Status)
		for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
			for _, value := range resp.Header[name] {
				fmt.Fprintf(s.Out, "%s: %s\n", strings.ToLower(name), value)
			}
		}
		fmt.Fprintln(s.Out)
	}
	last := &lastByte{w: s.Out}
	if _, err := io.Copy(last, resp.Body); err != nil {
		return err
	}
	if term.IsTerminal(s.Out) && last.b != '\n' {
		fmt.Fprintln(s.Out)
	}
	if c.Fail && resp.StatusCode >= 400 {
		return fmt.Errorf("the API answered %s", resp.Status)
	}
	return nil
}

// lastByte remembers the last byte that was written.
type lastByte struct {
	w io.Writer
	b byte
}

func (l *lastByte) Write(p []byte) (int, error) {
	if len(p) > 0 {
		l.b = p[len(p)-1]
	}
	return l.w.Write(p)
}
