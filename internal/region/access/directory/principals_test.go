package directory

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestReplacePrincipals(t *testing.T) {
	swap := func(text string) (string, error) {
		switch text {
		case "arn:aws:iam::1:user/bob":
			return "AIDA1", nil
		case "AIDA1":
			return "arn:aws:iam::1:user/bob", nil
		case "111122223333":
			return "arn:aws:iam::111122223333:root", nil
		}
		return text, nil
	}
	for _, document := range []string{
		`{"Statement":{"Principal":{"AWS":"arn:aws:iam::1:user/bob"},"Action":"x"}}`,
		`{"Statement":[{"Principal":{"AWS":["*", "arn:aws:iam::1:user/bob" , "x"]}},{"NotPrincipal":{"aws":"arn:aws:iam::1:user/bob"}}]}`,
		`{ "Statement" : [ { "Principal" : { "AWS" : [ "arn:aws:iam::1:user/bob","arn:aws:iam::1:user/bob" ] } } ] }`,
	} {
		hidden, err := replacePrincipals(document, swap)
		if err != nil || strings.Contains(hidden, "bob") || len(hidden) != len(document) || !json.Valid([]byte(hidden)) {
			t.Errorf("%s\nbecomes %s, %v", document, hidden, err)
		}
		if shown, err := replacePrincipals(hidden, swap); err != nil || shown != document {
			t.Errorf("%s\nis shown as %s, %v", document, shown, err)
		}
	}
	for _, same := range []string{
		`{"Statement":{"Principal":{"Federated":"arn:aws:iam::1:user/bob"},"Condition":{"StringEquals":{"aws:PrincipalArn":"arn:aws:iam::1:user/bob"}}}}`,
		`{"Statement":{"Principal":"*","Resource":{"AWS":"arn:aws:iam::1:user/bob"}}}`,
		`{"Principal":{"AWS":"arn:aws:iam::1:user/bob"}}`,
		`{"Statement":{"Principal":{"AWS":{"AWS":"arn:aws:iam::1:user/bob"}}}}`,
		`{"Statement":`, ``, `[]`, `"x"`,
	} {
		if got, err := replacePrincipals(same, swap); err != nil || got != same {
			t.Errorf("%s becomes %s, %v", same, got, err)
		}
	}
	grown, err := replacePrincipals(`{"Statement":{"Principal":{"AWS":"111122223333"},"Action":"a"}}`, swap)
	if want := `{"Statement":{"Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"a"}}`; err != nil || grown != want {
		t.Errorf("%s, %v", grown, err)
	}
}

// Whatever a document holds, a replacement leaves valid JSON valid, and says
// the same but for the principals.
func FuzzReplacePrincipals(f *testing.F) {
	f.Add(`{"Statement":[{"Principal":{"AWS":["a","b"]}}]}`)
	f.Add(`{"Statement":{"NotPrincipal":{"AWS":"a\"b"},"X":"a"}}`)
	f.Add("{\"Statement\":{\"Principal\":{\"AWS\":\"\\u0061\"}}} ")
	f.Fuzz(func(t *testing.T, document string) {
		got, err := replacePrincipals(document, func(text string) (string, error) {
			if text == "a" {
				return "longer than before", nil
			}
			return text, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if json.Valid([]byte(document)) && !json.Valid([]byte(got)) {
			t.Errorf("%q becomes %q", document, got)
		}
	})
}
