package twitter

import (
	"errors"
	"fmt"
	"strings"
)

// param is one decoded name and value of a request.
type param struct{ name, value string }

// maxParams bounds the parameters of one request.
const maxParams = 256

// parseAuthorization reads the parameters of an Authorization header of the
// scheme OAuth (RFC 5849, section 3.5.1). The realm is left out, as it is not
// signed. A header of another scheme has none.
func parseAuthorization(header string) ([]param, error) {
	scheme, rest, _ := strings.Cut(strings.TrimLeft(header, " \t"), " ")
	if !strings.EqualFold(scheme, "OAuth") {
		return nil, nil
	}
	var params []param
	for part := range strings.SplitSeq(rest, ",") {
		part = strings.Trim(part, " \t")
		if part == "" {
			continue
		}
		name, quoted, ok := strings.Cut(part, "=")
		if !ok || len(quoted) < 2 || quoted[0] != '"' || quoted[len(quoted)-1] != '"' {
			return nil, fmt.Errorf("%q in the Authorization header is not name=\"value\"", part)
		}
		decoded, err := decodePair(name, quoted[1:len(quoted)-1], false)
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(decoded.name, "realm") {
			continue
		}
		if params = append(params, decoded); len(params) > maxParams {
			return nil, errTooMany
		}
	}
	return params, nil
}

// parseForm reads the parameters of a query or of a form-encoded body
// (RFC 5849, section 3.4.1.3.1).
func parseForm(encoded string) ([]param, error) {
	var params []param
	for pair := range strings.SplitSeq(encoded, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		decoded, err := decodePair(name, value, true)
		if err != nil {
			return nil, err
		}
		if params = append(params, decoded); len(params) > maxParams {
			return nil, errTooMany
		}
	}
	return params, nil
}

var errTooMany = errors.New("the request has too many parameters")

func decodePair(name, value string, plusIsSpace bool) (param, error) {
	decodedName, err := percentDecode(name, plusIsSpace)
	if err != nil {
		return param{}, err
	}
	decodedValue, err := percentDecode(value, plusIsSpace)
	return param{decodedName, decodedValue}, err
}

// percentDecode undoes percentEncode, and the plus sign of forms if asked.
func percentDecode(s string, plusIsSpace bool) (string, error) {
	if !strings.ContainsAny(s, "%+") {
		return s, nil
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+' && plusIsSpace:
			out.WriteByte(' ')
		case c == '%':
			if i+2 >= len(s) || hexValue(s[i+1]) < 0 || hexValue(s[i+2]) < 0 {
				return "", fmt.Errorf("%q has an incomplete percent encoding", s)
			}
			out.WriteByte(byte(hexValue(s[i+1])<<4 | hexValue(s[i+2])))
			i += 2
		default:
			out.WriteByte(c)
		}
	}
	return out.String(), nil
}

func hexValue(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
