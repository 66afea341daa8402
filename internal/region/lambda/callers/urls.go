package callers

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"maps"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// newURLID is the first label of a function URL: 32 letters and digits.
func newURLID() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// URLs gives function URLs a place where they answer.
type URLs interface {
	// OpenURL begins to serve a URL and returns its port, or 0, and its address.
	OpenURL(id string) (port int, url string, err error)
	// CloseURL ends that.
	CloseURL(id string)
}

func (l *Callers) describeURL(name, qualifier string, u model.FunctionURL) *urlOutput {
	return &urlOutput{FunctionURL: u.URL, FunctionArn: l.ARN(name, qualifier), AuthType: u.AuthType, Cors: u.Cors,
		CreationTime: u.Created, LastModifiedTime: u.Modified, InvokeMode: u.Mode}
}

func checkURL(authType, mode string) error {
	if authType != "" && authType != "NONE" && authType != "AWS_IAM" {
		return model.Enum(authType, "authType", "NONE, AWS_IAM")
	}
	if mode != "" && mode != "BUFFERED" && mode != "RESPONSE_STREAM" {
		return model.Enum(mode, "invokeMode", "RESPONSE_STREAM, BUFFERED")
	}
	return nil
}

// urlQualifier allows an alias, or nothing.
func (l *Callers) urlQualifier(given, qualifier string) (name, resolved string, err error) {
	name, resolved, err = l.Resolve(given, qualifier)
	if err == nil && (resolved == model.Latest || model.IsNumber(resolved)) {
		err = model.Failed(400, "ValidationException", "1 validation error detected: Value '"+resolved+"' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)")
	}
	return name, resolved, err
}

func (l *Callers) createURL(ctx context.Context, _ *wire.Call, in *createURLInput) (*urlOutput, error) {
	name, qualifier, err := l.urlQualifier(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if err := checkURL(in.AuthType, in.InvokeMode); err != nil {
		return nil, err
	}
	u := model.FunctionURL{ID: newURLID(), AuthType: in.AuthType, Cors: in.Cors, Mode: in.InvokeMode, Created: l.NowText()}
	u.Modified = u.Created
	err = l.DB.Update(ctx, func(ctx context.Context, tx *store.Tx) error {
		if u.Port, u.URL, err = l.URLs.OpenURL(u.ID); err != nil { // now, because the answer has the URL
			return err
		}
		tx.OnUndo(func() { l.URLs.CloseURL(u.ID) })
		return l.Change(ctx, name, func(f *model.Function) error { return l.addURL(f, qualifier, u) })
	})
	if err != nil {
		return nil, err
	}
	out := l.describeURL(name, qualifier, u)
	out.LastModifiedTime = ""
	return out, nil
}

// addURL gives a function its URL, of which each alias has one at most.
func (l *Callers) addURL(f *model.Function, qualifier string, u model.FunctionURL) error {
	if _, ok := f.Find(qualifier); !ok {
		return model.NotFound("Function does not exist")
	}
	if _, there := f.URLs[qualifier]; there {
		return model.Conflict("Failed to create function url config for [functionArn = " + l.ARN(f.Name, qualifier) + "]. Error message:  FunctionUrlConfig exists for this Lambda function")
	}
	if f.URLs == nil {
		f.URLs = map[string]model.FunctionURL{}
	}
	f.URLs[qualifier] = u
	return nil
}

func noURL() error { return model.NotFound("The resource you requested does not exist.") }

func (l *Callers) getURL(ctx context.Context, _ *wire.Call, in *model.Ref) (*urlOutput, error) {
	name, qualifier, err := l.urlQualifier(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	f, err := l.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	u, ok := f.URLs[qualifier]
	if !ok {
		return nil, noURL()
	}
	return l.describeURL(name, qualifier, u), nil
}

func (l *Callers) updateURL(ctx context.Context, _ *wire.Call, in *updateURLInput) (*urlOutput, error) {
	name, qualifier, err := l.urlQualifier(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if err := checkURL(in.AuthType, in.InvokeMode); err != nil {
		return nil, err
	}
	var out *urlOutput
	err = l.Change(ctx, name, func(f *model.Function) error {
		u, ok := f.URLs[qualifier]
		if !ok {
			return noURL()
		}
		u.AuthType, u.Mode, u.Modified = model.OrElse(in.AuthType, u.AuthType), model.OrElse(in.InvokeMode, u.Mode), l.NowText()
		if in.Cors != nil {
			u.Cors = in.Cors
		}
		if model.EqualJSON(u.Cors, model.CorsConfig{}) { // how an update takes CORS away: preflights are the function's again
			u.Cors = nil
		}
		f.URLs[qualifier] = u
		out = l.describeURL(name, qualifier, u)
		return nil
	})
	return out, err
}

func (l *Callers) deleteURL(ctx context.Context, _ *wire.Call, in *model.Ref) (*model.Empty, error) {
	name, qualifier, err := l.urlQualifier(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return &model.Empty{}, l.Change(ctx, name, func(f *model.Function) error {
		if _, ok := f.URLs[qualifier]; !ok {
			return noURL()
		}
		delete(f.URLs, qualifier)
		return nil
	})
}

func (l *Callers) listURLs(ctx context.Context, _ *wire.Call, in *model.ListInput) (*listURLsOutput, error) {
	name, _, err := l.Resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	f, err := l.Read(ctx, name)
	if err != nil {
		return nil, err
	}
	var all []urlOutput
	for _, qualifier := range slices.Sorted(maps.Keys(f.URLs)) {
		all = append(all, *l.describeURL(name, qualifier, f.URLs[qualifier]))
	}
	out := &listURLsOutput{}
	out.FunctionURLConfigs, out.NextMarker = model.Paginate(all, in.Page, func(u urlOutput) string { return u.FunctionArn })
	return out, nil
}
