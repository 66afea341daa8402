package lambda

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/lambda/urls"
)

// Ports gives every function URL a listener of its own.
type Ports interface {
	// Open listens for a URL and serves it by URLHandler. port is the one that
	// the URL had, or 0 for any. It returns the port and the base URL, such as
	// "http://127.0.0.1:4011".
	Open(id string, port int) (actual int, url string, err error)
	// Close stops listening for a URL.
	Close(id string)
}

// ServeURLs begins to serve function URLs: those that are there, on the ports
// that they had, and those that are made later. It is called once, before the
// first operation. Without it a function URL has the address that it would have
// on AWS, and only URLHandler serves it.
func (l *Lambda) ServeURLs(ctx context.Context, ports Ports, access urls.Access) error {
	l.ports = ports
	if access != nil {
		l.access.Store(&access)
	}
	for name, e := range l.snapshot.Load().functions {
		for qualifier, config := range e.function.URLs {
			port, url, err := ports.Open(config.ID, config.Port)
			if err != nil {
				return err
			}
			if url += "/"; url == config.URL {
				continue
			}
			err = l.docs.Change(ctx, name, func(f *model.Function) error {
				moved := f.URLs[qualifier]
				moved.Port, moved.URL = port, url
				f.URLs[qualifier] = moved
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// OpenURL implements callers.URLs.
func (l *Lambda) OpenURL(id string) (port int, url string, err error) {
	if l.ports == nil {
		return 0, "https://" + id + ".lambda-url." + l.Region + ".on.aws/", nil
	}
	port, url, err = l.ports.Open(id, 0)
	return port, url + "/", err
}

// CloseURL implements callers.URLs.
func (l *Lambda) CloseURL(id string) {
	if l.ports != nil {
		l.ports.Close(id)
	}
}

func hasURL(f *model.Function, id string) bool {
	for _, config := range f.URLs {
		if config.ID == id {
			return true
		}
	}
	return false
}

// URLHandler serves the function URL with an id; for one that does not exist it
// answers as AWS does.
func (l *Lambda) URLHandler(id string) http.Handler {
	h := &urls.Handler{Functions: l, Region: l.Region, Now: l.config.Now}
	if access := l.access.Load(); access != nil {
		h.Access = *access
	}
	return h.For(id)
}

// URLs returns each function URL by its id.
func (l *Lambda) URLs() map[string]string {
	s, all := l.snapshot.Load(), map[string]string{}
	for id, at := range s.urls {
		all[id] = s.functions[at.name].function.URLs[at.qualifier].URL
	}
	return all
}

// FunctionURL implements urls.Functions.
func (l *Lambda) FunctionURL(id string) (functionARN string, config model.FunctionURL, ok bool) {
	s := l.snapshot.Load()
	at, ok := s.urls[id]
	if !ok {
		return "", config, false
	}
	config, ok = s.functions[at.name].function.URLs[at.qualifier]
	return l.ARN(at.name, at.qualifier), config, ok
}

// MayCallURL implements urls.Functions.
func (l *Lambda) MayCallURL(functionARN string) error {
	return l.mayCall(functionARN, "lambda:InvokeFunctionUrl", iam.Principal{Kind: iam.Anonymous}, iam.Context{{Name: "lambda:FunctionUrlAuthType", Value: "NONE"}})
}

// Policy implements urls.Functions.
func (l *Lambda) Policy(functionARN string) string {
	name, qualifier, _ := l.Parse(functionARN)
	return l.policyText(name, qualifier)
}

// InvokeURL implements urls.Functions.
func (l *Lambda) InvokeURL(ctx context.Context, functionARN, requestID string, event []byte, stream func(contentType string, part []byte) error) (response []byte, failed bool, err error) {
	result, _, err := l.run(ctx, functionARN, environment.Call{RequestID: requestID, Payload: event, Stream: stream})
	return result.Payload, result.FunctionError != "", err
}

// URLHost returns the id of the function URL that a host means, as on AWS:
// "<id>.lambda-url.us-east-1.on.aws". ok is false for other hosts.
func (l *Lambda) URLHost(host string) (id string, ok bool) {
	if bare, _, err := net.SplitHostPort(host); err == nil {
		host = bare
	}
	id, ok = strings.CutSuffix(strings.ToLower(host), ".lambda-url."+l.Region+".on.aws")
	return id, ok && id != "" && !strings.Contains(id, ".")
}
