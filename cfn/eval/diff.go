package eval

import (
	"sort"
	"strconv"
	"strings"
)

// Change is one place where two values differ.
type Change struct {
	// Path is where, as "Environment.Variables.NAME" or "Tags[0].Value"; "" is
	// the whole value.
	Path string
	// Before and After are the values; nil where there is none.
	Before, After any
}

// Diff returns the places where two plain values differ, in the order of their
// paths. Scalars are equal if they read the same, since CloudFormation takes
// "3" for 3. An Unknown differs from everything, another Unknown too. Where the
// lengths of lists differ, the lists differ as a whole.
func Diff(before, after any) []Change {
	return diff(nil, "", before, after)
}

func diff(changes []Change, path string, before, after any) []Change {
	switch b := before.(type) {
	case map[string]any:
		if a, ok := after.(map[string]any); ok {
			return diffObjects(changes, path, b, a)
		}
	case []any:
		if a, ok := after.([]any); ok && len(a) == len(b) {
			for i := range b {
				changes = diff(changes, path+"["+strconv.Itoa(i)+"]", b[i], a[i])
			}
			return changes
		}
	default:
		left, ok1 := Text(before)
		right, ok2 := Text(after)
		if ok1 && ok2 && left == right || before == nil && after == nil {
			return changes
		}
	}
	return append(changes, Change{Path: path, Before: before, After: after})
}

func diffObjects(changes []Change, path string, before, after map[string]any) []Change {
	var keys []string
	for key := range before {
		keys = append(keys, key)
	}
	for key := range after {
		if _, both := before[key]; !both {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	for _, key := range keys {
		changes = diff(changes, strings.TrimPrefix(path+"."+key, "."), before[key], after[key])
	}
	return changes
}

// Mask returns a copy of a value in which what stands at the paths, as
// Result.Secrets has them, is "****".
func Mask(value any, secrets []string) any {
	return mask(value, "", secrets)
}

func mask(value any, path string, secrets []string) any {
	for _, secret := range secrets {
		if secret == path {
			return "****"
		}
	}
	if len(secrets) == 0 {
		return value
	}
	switch v := value.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for key, item := range v {
			m[key] = mask(item, strings.TrimPrefix(path+"."+key, "."), secrets)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = mask(item, path+"["+strconv.Itoa(i)+"]", secrets)
		}
		return list
	}
	return value
}
