package resources

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Text returns a property's text, or "" where it is not given. A path leads
// into objects: Text(want, "Code", "S3Key").
func Text(props map[string]any, path ...string) string {
	switch v := at(props, path).(type) {
	case string:
		return v
	case json.Number, bool, float64:
		return fmt.Sprint(v)
	}
	return ""
}

// Flag returns a boolean property, false where it is not given.
func Flag(props map[string]any, path ...string) bool {
	flag, _ := at(props, path).(bool)
	return flag
}

// Int returns a whole number, or otherwise where it is not given.
func Int(props map[string]any, name string, otherwise int) int {
	switch v := props[name].(type) {
	case json.Number:
		if n, err := strconv.Atoi(v.String()); err == nil {
			return n
		}
	case float64:
		return int(v)
	case int:
		return v
	}
	return otherwise
}

// Child returns an object, nil where it is not given.
func Child(props map[string]any, name string) map[string]any {
	child, _ := props[name].(map[string]any)
	return child
}

// Texts returns a list of strings.
func Texts(props map[string]any, name string) []string {
	list, _ := props[name].([]any)
	texts := make([]string, 0, len(list))
	for _, item := range list {
		if text, ok := item.(string); ok {
			texts = append(texts, text)
		}
	}
	return texts
}

// Children returns a list of objects.
func Children(props map[string]any, name string) []map[string]any {
	list, _ := props[name].([]any)
	children := make([]map[string]any, 0, len(list))
	for _, item := range list {
		if child, ok := item.(map[string]any); ok {
			children = append(children, child)
		}
	}
	return children
}

func at(props map[string]any, path []string) any {
	for _, name := range path[:len(path)-1] {
		props = Child(props, name)
	}
	return props[path[len(path)-1]]
}

// Has reports whether a property is given.
func Has(props map[string]any, name string) bool {
	_, ok := props[name]
	return ok
}

// Pick returns the named properties, as far as they are given, in a map of its
// own.
func Pick(props map[string]any, names ...string) map[string]any {
	picked := make(map[string]any, len(names))
	for _, name := range names {
		if value, ok := props[name]; ok {
			picked[name] = value
		}
	}
	return picked
}

// Same reports whether the named properties have the same values in both.
func Same(have, want map[string]any, names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool {
		return Has(have, name) != Has(want, name) || !equal(have[name], want[name])
	})
}

// equal compares the JSON forms: 3 and 3.0 read from the state file are equal.
func equal(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// Delta returns the named properties that have changed. One that is gone from
// the template comes as its empty value, which is how update operations are
// told to take something away.
func (p Properties) Delta(have, want map[string]any, names ...string) map[string]any {
	delta := map[string]any{}
	for _, name := range names {
		if Same(have, want, name) {
			continue
		}
		if value, ok := want[name]; ok {
			delta[name] = value
		} else {
			delta[name] = p[name].empty()
		}
	}
	return delta
}

func (p Property) empty() any {
	switch p.Kind {
	case String:
		return ""
	case Boolean:
		return false
	case Integer, Number:
		return 0
	case List:
		return []any{}
	case Object, Map, JSON:
		return map[string]any{}
	}
	return nil
}

// Document returns the text of a JSON document, such as a policy.
func Document(value any) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// TagsOf returns tags as a map, from a list of Key and Value or from a map.
func TagsOf(value any) map[string]string {
	tags := map[string]string{}
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			if tag, ok := item.(map[string]any); ok {
				tags[Text(tag, "Key")] = Text(tag, "Value")
			}
		}
	case map[string]any:
		for key := range v {
			tags[key] = Text(v, key)
		}
	}
	return tags
}

// WithStackTags returns the tags of a new resource: its own over those that
// CloudFormation gives each resource of the stack.
func (e *Env) WithStackTags(own any) map[string]string {
	tags := maps.Clone(e.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	maps.Copy(tags, TagsOf(own))
	return tags
}

// TagList returns tags as the list that services take, ordered by key.
func TagList(tags map[string]string) []map[string]string {
	list := make([]map[string]string, 0, len(tags))
	for _, key := range keys(tags) {
		list = append(list, map[string]string{"Key": key, "Value": tags[key]})
	}
	return list
}

// TagChanges tells which tags are to be set and which are to be taken away.
func TagChanges(have, want any) (set map[string]string, unset []string) {
	before, after := TagsOf(have), TagsOf(want)
	set = map[string]string{}
	for key, value := range after {
		if old, ok := before[key]; !ok || old != value {
			set[key] = value
		}
	}
	for _, key := range keys(before) {
		if _, ok := after[key]; !ok {
			unset = append(unset, key)
		}
	}
	return set, unset
}

// Gone is an operation's error, without those that say that its object is not
// there: to delete what is not there is no failure.
func Gone(err error) error {
	code := wire.Code(err)
	if strings.Contains(code, "NotFound") || strings.HasPrefix(code, "NoSuch") {
		return nil
	}
	return err
}

// Exists reports whether an operation's error says that what it was to make is
// there already.
func Exists(err error) bool {
	code := wire.Code(err)
	return code != "DeleteConflict" && (strings.Contains(code, "AlreadyExists") || strings.Contains(code, "AlreadyOwned") ||
		strings.Contains(code, "ResourceExists") || strings.Contains(code, "Conflict"))
}

// Free asks whether a name is free: read is what came of reading what has it.
// Where operations overwrite, a Create asks first: what is there belongs to
// somebody else, and a rollback would remove it. Which types do so on AWS is not
// written down for all of them [?]; here all do.
func (e *Env) Free(id string, read error) error {
	if read == nil {
		return wire.Errorf(http.StatusConflict, "AlreadyExists", "Resource of type '%s' with identifier '%s' already exists.", e.Type, id)
	}
	return Gone(read)
}

// OrName is the name that a template gives, or the one that CloudFormation
// makes up, at most max long.
func (e *Env) OrName(given string, max int) string {
	if given != "" {
		return given
	}
	return e.Name(max)
}

// recordedPool begins the part behind the region of the ids of user pools that
// are kept as records, so that what would rest on their tokens can be refused.
const recordedPool = "_record"

// RecordedPoolID is the id of a user pool that is kept as a record; random are
// letters and digits.
func (e *Env) RecordedPoolID(random string) string { return e.Region + recordedPool + random }

// IsRecordedPool reports whether a user pool is only a record here.
func IsRecordedPool(id string) bool { return strings.Contains(id, recordedPool) }

// Keep is the Update of a record: it stays what it was.
func Keep(_ context.Context, _ *Env, have State, _ map[string]any) (State, error) { return have, nil }

// Protected is the error of a removal that a property forbids.
func Protected(what, id, property string) error {
	return wire.Errorf(http.StatusBadRequest, "InvalidRequest", "The %s %s is protected from deletion: take %s away first.", what, id, property)
}

// Random returns n small letters and digits for the id of a record. They are
// the same for each attempt at one change. They are no secret.
func (e *Env) Random(n int) string {
	sum := sha256.Sum256([]byte(e.StackID + "/" + e.LogicalID + "/" + e.Token))
	text := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))
	return text[:min(n, 51)]
}

// UUID returns an id in the form of a UUID, made as Random makes its letters.
func (e *Env) UUID() string {
	sum := sha256.Sum256([]byte(e.StackID + "/" + e.LogicalID + "/" + e.Token))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}
