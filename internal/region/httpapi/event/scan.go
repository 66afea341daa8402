package event

import (
	"errors"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Scanner reads JSON (RFC 8259) value by value without building a tree. The
// caller asks for what it expects; everything is checked on the way.
type scanner struct {
	data []byte
	at   int
}

var errJSON = errors.New("it is not valid JSON")

const maxDepth = 512 // nested arrays and objects

// space skips white space and returns the next byte, or 0 at the end.
func (s *scanner) space() byte {
	for s.at < len(s.data) {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// value skips one value and returns its bytes.
func (s *scanner) value(depth int) ([]byte, error) {
	c := s.space()
	start := s.at
	var err error
	switch {
	case c == '{':
		err = s.object(depth, func([]byte) error { _, err := s.value(depth + 1); return err })
	case c == '[':
		err = s.array(depth, func() error { _, err := s.value(depth + 1); return err })
	case c == '"':
		_, err = s.quoted()
	case c == '-' || '0' <= c && c <= '9':
		err = s.number()
	case c == 't':
		err = s.word("true")
	case c == 'f':
		err = s.word("false")
	case c == 'n':
		err = s.word("null")
	default:
		err = errJSON
	}
	return s.data[start:s.at], err
}

func (s *scanner) word(w string) error {
	if len(s.data)-s.at < len(w) || string(s.data[s.at:s.at+len(w)]) != w {
		return errJSON
	}
	s.at += len(w)
	return nil
}

// object calls member with each key (unescaped), which must read the value.
func (s *scanner) object(depth int, member func(key []byte) error) error {
	if s.space() != '{' || depth > maxDepth {
		return errJSON
	}
	s.at++
	if s.space() == '}' {
		s.at++
		return nil
	}
	for {
		if s.space() != '"' {
			return errJSON
		}
		key, err := s.str()
		if err != nil {
			return err
		}
		if s.space() != ':' {
			return errJSON
		}
		s.at++
		if err := member(key); err != nil {
			return err
		}
		if done, err := s.next('}'); done || err != nil {
			return err
		}
	}
}

// array calls element for each element, which must read it.
func (s *scanner) array(depth int, element func() error) error {
	if s.space() != '[' || depth > maxDepth {
		return errJSON
	}
	s.at++
	if s.space() == ']' {
		s.at++
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if done, err := s.next(']'); done || err != nil {
			return err
		}
	}
}

// next passes a comma, or the closing bracket, for which it reports true.
func (s *scanner) next(closing byte) (bool, error) {
	switch s.space() {
	case ',':
		s.at++
		return false, nil
	case closing:
		s.at++
		return true, nil
	}
	return false, errJSON
}

// quoted passes a string and reports whether it has escapes.
func (s *scanner) quoted() (escaped bool, err error) {
	for i := s.at + 1; i < len(s.data); i++ {
		switch c := s.data[i]; {
		case c == '"':
			s.at = i + 1
			return escaped, nil
		case c == '\\':
			escaped = true
			if i++; i == len(s.data) {
				return false, errJSON
			}
			switch s.data[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if !fourHex(s.data[i+1:]) {
					return false, errJSON
				}
				i += 4
			default:
				return false, errJSON
			}
		case c < ' ':
			return false, errJSON
		}
	}
	return false, errJSON
}

func fourHex(b []byte) bool {
	if len(b) < 4 {
		return false
	}
	for _, c := range b[:4] {
		if hexValue(c) < 0 {
			return false
		}
	}
	return true
}

// str reads a string. Without escapes it is a slice of the input.
func (s *scanner) str() ([]byte, error) {
	if s.space() != '"' {
		return nil, errJSON
	}
	start := s.at + 1
	escaped, err := s.quoted()
	if err != nil {
		return nil, err
	}
	raw := s.data[start : s.at-1]
	if !escaped {
		return raw, nil
	}
	return unescapeJSON(raw), nil
}

// unescapeJSON decodes a checked string.
func unescapeJSON(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		i++
		switch raw[i] {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r := codeUnit(raw[i+1:])
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(0)
				if i+2 < len(raw) && raw[i+1] == '\\' && raw[i+2] == 'u' {
					low = codeUnit(raw[i+3:])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, raw[i])
		}
	}
	return out
}

func codeUnit(b []byte) rune {
	var r rune
	for _, c := range b[:4] {
		r = r<<4 | rune(hexValue(c))
	}
	return r
}

// number passes a number.
func (s *scanner) number() error {
	i := s.at
	digits := func() bool {
		start := i
		for i < len(s.data) && '0' <= s.data[i] && s.data[i] <= '9' {
			i++
		}
		return i > start
	}
	is := func(chars ...byte) bool {
		for _, c := range chars {
			if i < len(s.data) && s.data[i] == c {
				i++
				return true
			}
		}
		return false
	}
	is('-')
	if !is('0') && !digits() {
		return errJSON
	}
	if is('.') && !digits() {
		return errJSON
	}
	if is('e', 'E') {
		is('+', '-')
		if !digits() {
			return errJSON
		}
	}
	s.at = i
	return nil
}

// integer reads a number or a string that is one.
func (s *scanner) integer() (int, error) {
	var raw []byte
	var err error
	if s.space() == '"' {
		raw, err = s.str()
	} else {
		raw, err = s.value(0)
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(string(raw))
	if err != nil {
		return 0, errors.New("it is not a whole number: " + string(raw[:min(len(raw), 40)]))
	}
	return n, nil
}

// end reports whether nothing but white space is left.
func (s *scanner) end() error {
	if s.space() != 0 || s.at != len(s.data) {
		return errJSON
	}
	return nil
}
