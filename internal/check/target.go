package check

import (
	"slices"
	"strings"
)

// A target is what a policy has to allow: the invocation of a route, or of a
// function by its URL.
type target struct {
	action string
	arn    string // where there is just one
	// of a route
	api, key string
	stages   []string
}

// methods are those that ANY stands for in samples.
func methods() []string {
	return []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
}

// samples returns ARNs that stand for everything behind a target: one for each
// stage and method, with the names of variables in the place of their values.
// The form of the ARN is that of "Control access to a REST API with IAM
// permissions": {api}/{stage}/{METHOD}/{path without its first slash}.
func (t target) samples(config Config) []string {
	if t.arn != "" {
		return []string{t.arn}
	}
	method, path := t.split()
	all := []string{method}
	if method == "ANY" {
		all = methods()
	}
	path = strings.NewReplacer("{", "<", "+}", ">", "}", ">").Replace(path)
	var arns []string
	for _, stage := range t.stages {
		for _, one := range all {
			arns = append(arns, t.prefix(config)+stage+"/"+one+"/"+path)
		}
	}
	return arns
}

func (t target) prefix(config Config) string {
	return "arn:aws:execute-api:" + config.Region + ":" + config.Account + ":" + t.api + "/"
}

// split returns a route key's method and its path without the first slash.
func (t target) split() (method, path string) {
	if t.key == "$default" {
		return "ANY", "{path+}"
	}
	method, path, _ = strings.Cut(t.key, " ")
	return method, strings.TrimPrefix(path, "/")
}

// fitting turns the resource of a policy into an ARN that it allows, if that is
// one behind the target.
func (t target) fitting(pattern string, config Config) (string, bool) {
	arn := strings.NewReplacer("*", "x", "?", "x").Replace(pattern)
	rest, ok := strings.CutPrefix(arn, t.prefix(config))
	if t.arn != "" || !ok {
		return "", false
	}
	parts := strings.Split(rest, "/")
	if len(parts) < 2 || !slices.Contains(t.stages, parts[0]) {
		return "", false
	}
	method, path := t.split()
	if method != "ANY" && method != parts[1] {
		return "", false
	}
	return arn, fits(strings.Split(path, "/"), parts[2:])
}

// fits reports whether the segments of a path are those of a route's.
func fits(route, path []string) bool {
	for i, segment := range route {
		switch {
		case strings.HasSuffix(segment, "+}"):
			return len(path) > i
		case i >= len(path):
			return false
		case !strings.HasPrefix(segment, "{") && segment != path[i]:
			return false
		}
	}
	return len(route) == len(path)
}
