package lambda

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// badJSON says what is wrong with a payload in the words of the parser that
// AWS uses, for the two cases that were recorded, and in plain words else.
func badJSON(payload []byte) string {
	const where = "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %d, column: %d]"
	at := len(payload)
	var syntax *json.SyntaxError
	var value any
	if err := json.Unmarshal(payload, &value); errors.As(err, &syntax) {
		at = int(syntax.Offset) - 1
	}
	at = max(0, min(at, len(payload)-1))
	if invalid := firstInvalid(payload); invalid >= 0 && (invalid < at || insideToken(payload[:invalid])) {
		line, column := position(payload, invalid)
		return fmt.Sprintf("Invalid UTF-8 start byte 0x%x"+where, payload[invalid], line, column+1)
	}
	line, column := position(payload, at)
	ch := payload[at]
	name := fmt.Sprintf("'%c' (code %d)", ch, ch)
	if ch < ' ' || ch >= 0x7f {
		name = fmt.Sprintf("(CTRL-CHAR, code %d)", ch)
	}
	return fmt.Sprintf("Unexpected character (%s): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"+where, name, line, column)
}

// firstInvalid is the offset of the first byte that is not UTF-8, or -1.
func firstInvalid(b []byte) int {
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// insideToken says whether a string or a word such as null goes on behind b.
func insideToken(b []byte) bool {
	if n := len(b); n > 0 && ('a' <= b[n-1] && b[n-1] <= 'z') {
		return true
	}
	inside := false
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == '\\' && inside:
			i++
		case b[i] == '"':
			inside = !inside
		}
	}
	return inside
}

// position counts lines and columns from 1.
func position(b []byte, at int) (line, column int) {
	line, column = 1, 1
	for _, ch := range b[:at] {
		column++
		if ch == '\n' {
			line, column = line+1, 1
		}
	}
	return line, column
}
