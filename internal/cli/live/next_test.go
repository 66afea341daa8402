package live

import "testing"

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{"examples/a-b": "examples/a-b", "my app": "'my app'", "it's": `'it'\''s'`, "$x": "'$x'"} {
		if got := quote(text); got != want {
			t.Errorf("%s is quoted as %s", text, got)
		}
	}
}
