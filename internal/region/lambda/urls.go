package lambda

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"maps"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// newURLID is the first label of a function URL: 32 letters and digits.
func newURLID() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// url is where a function URL answers.
func (l *Lambda) url(id string) string {
	if l.config.URLHost != "" {
		return "http://" + id + "." + l.config.URLHost + "/"
	}
	return "https://" + id + ".lambda-url." + l.config.Region + ".on.aws/"
}

func (l *Lambda) describeURL(name, qualifier string, u functionURL) *urlOutput {
	return &urlOutput{FunctionURL: l.url(u.ID), FunctionArn: l.arn(name, qualifier), AuthType: u.AuthType, Cors: u.Cors,
		CreationTime: u.Created, LastModifiedTime: u.Modified, InvokeMode: u.Mode}
}

func checkURL(authType, mode string) error {
	if authType != "" && authType != "NONE" && authType != "AWS_IAM" {
		return enum(authType, "authType", "NONE, AWS_IAM")
	}
	if mode != "" && mode != "BUFFERED" && mode != "RESPONSE_STREAM" {
		return enum(mode, "invokeMode", "RESPONSE_STREAM, BUFFERED")
	}
	return nil
}

// urlQualifier allows an alias, or nothing.
func (l *Lambda) urlQualifier(given, qualifier string) (name, resolved string, err error) {
	name, resolved, err = l.resolve(given, qualifier)
	if err == nil && (resolved == latest || digits.MatchString(resolved)) {
		err = failed(400, "ValidationException", "1 validation error detected: Value '"+resolved+"' at 'qualifier' failed to satisfy constraint: Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)")
	}
	return name, resolved, err
}

func (l *Lambda) createURL(ctx context.Context, _ *wire.Call, in *createURLInput) (*urlOutput, error) {
	name, qualifier, err := l.urlQualifier(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if err := checkURL(in.AuthType, in.InvokeMode); err != nil {
		return nil, err
	}
	u := functionURL{ID: newURLID(), AuthType: in.AuthType, Cors: in.Cors, Mode: in.InvokeMode, Created: l.now()}
	u.Modified = u.Created
	err = l.change(ctx, name, func(f *function) error {
		if _, ok := f.find(qualifier); !ok {
			return notFound("Function does not exist")
		}
		if _, there := f.URLs[qualifier]; there {
			return conflict("Failed to create function url config for [functionArn = " + l.arn(name, qualifier) + "]. Error message:  FunctionUrlConfig exists for this Lambda function")
		}
		if f.URLs == nil {
			f.URLs = map[string]functionURL{}
		}
		f.URLs[qualifier] = u
		return nil
	})
	out := l.describeURL(name, qualifier, u)
	out.LastModifiedTime = ""
	return out, err
}

func noURL() error { return notFound("The resource you requested does not exist.") }

func (l *Lambda) getURL(ctx context.Context, _ *wire.Call, in *ref) (*urlOutput, error) {
	name, qualifier, err := l.urlQualifier(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	f, err := l.read(ctx, name)
	if err != nil {
		return nil, err
	}
	u, ok := f.URLs[qualifier]
	if !ok {
		return nil, noURL()
	}
	return l.describeURL(name, qualifier, u), nil
}

func (l *Lambda) updateURL(ctx context.Context, _ *wire.Call, in *updateURLInput) (*urlOutput, error) {
	name, qualifier, err := l.urlQualifier(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	if err := checkURL(in.AuthType, in.InvokeMode); err != nil {
		return nil, err
	}
	var out *urlOutput
	err = l.change(ctx, name, func(f *function) error {
		u, ok := f.URLs[qualifier]
		if !ok {
			return noURL()
		}
		u.AuthType, u.Mode, u.Modified = orElse(in.AuthType, u.AuthType), orElse(in.InvokeMode, u.Mode), l.now()
		if in.Cors != nil {
			u.Cors = in.Cors
		}
		f.URLs[qualifier] = u
		out = l.describeURL(name, qualifier, u)
		return nil
	})
	return out, err
}

func (l *Lambda) deleteURL(ctx context.Context, _ *wire.Call, in *ref) (*empty, error) {
	name, qualifier, err := l.urlQualifier(in.FunctionName, in.Qualifier)
	if err != nil {
		return nil, err
	}
	return &empty{}, l.change(ctx, name, func(f *function) error {
		if _, ok := f.URLs[qualifier]; !ok {
			return noURL()
		}
		delete(f.URLs, qualifier)
		return nil
	})
}

func (l *Lambda) listURLs(ctx context.Context, _ *wire.Call, in *listByFunctionInput) (*listURLsOutput, error) {
	name, _, err := l.resolve(in.FunctionName, "")
	if err != nil {
		return nil, err
	}
	f, err := l.read(ctx, name)
	if err != nil {
		return nil, err
	}
	var all []urlOutput
	for _, qualifier := range slices.Sorted(maps.Keys(f.URLs)) {
		all = append(all, *l.describeURL(name, qualifier, f.URLs[qualifier]))
	}
	out := &listURLsOutput{}
	out.FunctionURLConfigs, out.NextMarker = paginate(all, in.page, func(u urlOutput) string { return u.FunctionArn })
	return out, nil
}
