package vars

import (
	"fmt"
	"slices"
	"strings"
)

// Verb is what a mapping does.
type Verb string

// The verbs of mappings.
const (
	Append    Verb = "append"
	Overwrite Verb = "overwrite"
	Remove    Verb = "remove"
)

// Place is what a mapping changes.
type Place string

// The places of mappings.
const (
	AtHeader Place = "header"
	AtQuery  Place = "querystring"
	AtPath   Place = "path"
	AtStatus Place = "statuscode"
)

// Change is one parsed mapping.
type Change struct {
	Verb  Verb
	Place Place
	Name  string    // of the header, in lower case, or of the query parameter
	Value *Template // nil for Remove
}

// ParseRequest reads an integration's RequestParameters. The changes come in the
// order of their keys, so that one template always means the same.
func ParseRequest(params map[string]string) ([]Change, error) {
	return parseChanges(params, []Place{AtHeader, AtQuery, AtPath},
		[]Root{Header, Query, Body, Path, Context, StageVariable})
}

// ParseResponse reads an integration's ResponseParameters for one status.
func ParseResponse(params map[string]string) ([]Change, error) {
	return parseChanges(params, []Place{AtHeader, AtStatus},
		[]Root{ResponseHeader, ResponseBody, Header, Context, StageVariable})
}

func parseChanges(params map[string]string, places []Place, roots []Root) ([]Change, error) {
	keys := make([]string, 0, len(params))
	for k := range params {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var changes []Change
	for _, key := range keys {
		if params[key] == "" && !strings.HasPrefix(key, string(Remove)) {
			continue // how update-integration takes a mapping away
		}
		c, err := parseKey(key, places)
		if err != nil {
			return nil, err
		}
		if c.Verb != Remove {
			if c.Value, err = ParseTemplate(params[key], roots...); err != nil {
				return nil, fmt.Errorf("the mapping %q: %w", key, err)
			}
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// parseKey reads "verb:place.name".
func parseKey(key string, places []Place) (Change, error) {
	verb, rest, ok := strings.Cut(key, ":")
	place, name, _ := strings.Cut(rest, ".")
	c := Change{Verb: Verb(verb), Place: Place(place), Name: name}
	known := c.Verb == Append || c.Verb == Overwrite || c.Verb == Remove
	if !ok || !known || !slices.Contains(places, c.Place) {
		return Change{}, fmt.Errorf("the mapping %q is not of a kind that HTTP APIs have here", key)
	}
	switch c.Place {
	case AtPath, AtStatus:
		if c.Verb != Overwrite || name != "" {
			return Change{}, fmt.Errorf("the mapping %q: %s can only be overwritten", key, place)
		}
	case AtHeader:
		c.Name = strings.ToLower(name)
		if reserved(c.Name) {
			return Change{}, fmt.Errorf("the mapping %q: the header is reserved", key)
		}
		fallthrough
	default:
		if name == "" {
			return Change{}, fmt.Errorf("the mapping %q names no %s", key, place)
		}
	}
	return c, nil
}

// reserved reports the headers that mappings may not touch ("Reserved headers").
func reserved(lower string) bool {
	for _, prefix := range []string{"access-control-", "apigw-", "x-amz-", "x-amzn-"} {
		if strings.HasPrefix(lower, prefix) {
			return true
		}
	}
	switch lower {
	case "authorization", "connection", "content-encoding", "content-length", "content-location",
		"forwarded", "keep-alive", "origin", "proxy-authenticate", "proxy-authorization", "te",
		"trailers", "transfer-encoding", "upgrade", "x-forwarded-for", "x-forwarded-host",
		"x-forwarded-proto", "via":
		return true
	}
	return false
}
