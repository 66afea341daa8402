package directory

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"sync"

	"github.com/seed-615d3599/roost/internal/region/store"
)

// IAM stores the users and roles that a trust policy names as principals under
// their unique ids, so that one made anew under the same name is not trusted,
// and shows them as ARNs again for as long as they exist (IAM User Guide, "AWS
// JSON policy elements: Principal"). The id stands in the document with blanks
// behind it, so that every position stays what it was.

var accountPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\d{12}$`) })

// hidePrincipals returns a trust policy with ids in place of the ARNs of the
// account's users and roles. One that is not there is refused.
func hidePrincipals(tx *store.Tx, account, document string) (string, error) {
	return replacePrincipals(document, func(arn string) (string, error) {
		kind, name := principalName(account, arn)
		if kind == "" {
			if accountPattern().MatchString(arn) {
				return "arn:aws:iam::" + arn + ":root", nil
			}
			return arn, nil
		}
		x := Identity{}
		found, err := tx.Get(kind.stored(), name, &x)
		if err == nil && (!found || x.ARN != arn) {
			err = malformedPrincipal(arn)
		}
		return x.ID, err
	})
}

func malformedPrincipal(arn string) error {
	e := Invalid(`Invalid principal in policy: "AWS":"%s"`, arn)
	e.Code = "MalformedPolicyDocument"
	return e
}

// principalName returns the user or role of the account that an ARN names. The
// kind is "" if the ARN names something else.
func principalName(account, arn string) (Kind, string) {
	rest, ok := strings.CutPrefix(arn, "arn:aws:iam::"+account+":")
	if !ok {
		return "", ""
	}
	name := rest[strings.LastIndexByte(rest, '/')+1:]
	for _, kind := range []Kind{User, Role} {
		if strings.HasPrefix(rest, string(kind)+"/") {
			return kind, name
		}
	}
	return "", ""
}

// ShownTrust returns a role's trust policy as IAM shows it, within ctx.
func (d *Directory) ShownTrust(ctx context.Context, x *Identity) (string, error) {
	if !strings.Contains(x.Trust, `"AROA`) && !strings.Contains(x.Trust, `"AIDA`) {
		return x.Trust, nil
	}
	arns := map[string]string{}
	for _, kind := range []Kind{User, Role} {
		all, err := d.List(ctx, kind, "")
		if err != nil {
			return "", err
		}
		for _, one := range all {
			arns[one.ID] = one.ARN
		}
	}
	return replacePrincipals(x.Trust, func(id string) (string, error) {
		if arn, ok := arns[id]; ok {
			return arn, nil
		}
		return id, nil
	})
}

// replacePrincipals returns a document with each value of Principal.AWS and
// NotPrincipal.AWS replaced. A document that is not JSON is returned as it is:
// compiling it says what is wrong.
func replacePrincipals(document string, replace func(string) (string, error)) (string, error) {
	var out strings.Builder
	done := 0
	w := principalWalker{decoder: json.NewDecoder(strings.NewReader(document)), found: func(text string, end int) error {
		other, err := replace(text)
		if err != nil || other == text {
			return err
		}
		start := done + strings.LastIndexByte(document[done:end-1], '"')
		out.WriteString(document[done:start])
		quoted, err := json.Marshal(other)
		out.Write(quoted)
		done = end
		out.WriteString(strings.Repeat(" ", max(0, end-start-len(quoted))))
		if len(quoted) > end-start { // it grows into the blanks that were left for it
			for n := len(quoted) - (end - start); n > 0 && done < len(document) && document[done] == ' '; n-- {
				done++
			}
		}
		return err
	}}
	if err := w.value(nil); err != nil {
		if w.broken {
			return document, nil
		}
		return "", err
	}
	out.WriteString(document[done:])
	return out.String(), nil
}

// principalWalker goes over a JSON document and reports the strings that are
// principals of the type AWS, with the offset behind each.
type principalWalker struct {
	decoder *json.Decoder
	found   func(text string, end int) error
	broken  bool
}

// value reads one value below the keys in path.
func (w *principalWalker) value(path []string) error {
	token, err := w.decoder.Token()
	if err != nil {
		w.broken = true
		return err
	}
	switch token := token.(type) {
	case string:
		if isPrincipal(path) {
			return w.found(token, int(w.decoder.InputOffset()))
		}
	case json.Delim:
		return w.members(path, token == '{')
	}
	return nil
}

func (w *principalWalker) members(path []string, object bool) error {
	for w.decoder.More() {
		inner := path
		if object {
			key, err := w.decoder.Token()
			if err != nil {
				w.broken = true
				return err
			}
			name, _ := key.(string)
			inner = append(path[:len(path):len(path)], name)
		}
		if err := w.value(inner); err != nil {
			return err
		}
	}
	_, err := w.decoder.Token()
	w.broken = w.broken || err != nil
	return err
}

func isPrincipal(path []string) bool {
	return len(path) == 3 && strings.EqualFold(path[0], "Statement") && strings.EqualFold(path[2], "AWS") &&
		(strings.EqualFold(path[1], "Principal") || strings.EqualFold(path[1], "NotPrincipal"))
}
