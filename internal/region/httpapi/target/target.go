// Package target reads the URIs of integrations and authorizers: of functions, and of
// servers, with stage variables and path variables in them (API Gateway Developer
// Guide, "Create HTTP proxy integrations for HTTP APIs", "Use stage variables for HTTP
// APIs").
package target

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/httpapi/route"
)

// Function returns the function's ARN of an integration's or authorizer's URI,
// which may be the ARN itself.
func Function(uri string) (string, error) {
	arn := uri
	if _, rest, ok := strings.Cut(uri, ":lambda:path/2015-03-31/functions/"); ok {
		arn = strings.TrimSuffix(rest, "/invocations")
	}
	if parts := strings.Split(arn, ":"); len(parts) < 7 || parts[0] != "arn" || parts[2] != "lambda" || parts[5] != "function" {
		return "", fmt.Errorf("%q is not the URI of a Lambda function: arn:aws:lambda:REGION:ACCOUNT:function:NAME, or that between arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ and /invocations", uri)
	}
	return arn, nil
}

// Expand puts the stage's variables into ${stageVariables.name}.
func Expand(uri string, variables map[string]string) (string, error) {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(uri, "${stageVariables.")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, rest, closed := strings.Cut(after, "}")
		value, ok := variables[name]
		if !closed || !ok {
			return "", fmt.Errorf("the stage has no variable %q, which the URI %q needs", name, uri)
		}
		b.WriteString(value)
		uri = rest
	}
}

// ParseURL splits a URL at its path variables.
func ParseURL(uri string) (URL, error) {
	var segments URL
	for rest := uri; rest != ""; {
		before, after, found := strings.Cut(rest, "{")
		if before != "" {
			segments = append(segments, segment{literal: before})
		}
		if !found {
			break
		}
		name, behind, closed := strings.Cut(after, "}")
		if !closed {
			return nil, fmt.Errorf("%q has no } for its {", uri)
		}
		segments = append(segments, segment{variable: strings.TrimSuffix(name, "+")})
		rest = behind
	}
	u, err := url.Parse(strings.NewReplacer("{", "", "}", "").Replace(uri))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is not an http or https URL", uri)
	}
	return segments, nil
}

// URL is a parsed URL with path variables.
type URL []segment

// segment is a piece of a proxy's URL: literal, or a path variable.
type segment struct{ literal, variable string }

// Fill returns the URL with the values of the path variables, encoded.
func (u URL) Fill(params []route.Param) string {
	var b strings.Builder
	for _, s := range u {
		b.WriteString(s.literal)
		for _, p := range params {
			if s.variable != "" && p.Name == s.variable {
				b.WriteString(escapePath(p.Value))
			}
		}
	}
	return b.String()
}

// escapePath encodes a path variable's value, but keeps the slashes of a greedy one.
// Dot segments are encoded too, so that a value cannot climb out of the target's path.
func escapePath(value string) string {
	segments := strings.Split(value, "/")
	for i, s := range segments {
		if segments[i] = url.PathEscape(s); s == "." || s == ".." {
			segments[i] = strings.ReplaceAll(s, ".", "%2E")
		}
	}
	return strings.Join(segments, "/")
}
