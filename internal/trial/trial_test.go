package trial

import "testing"

// A port that begins another's is not taken for it.
func TestMovedURLs(t *testing.T) {
	m := moves{"http://127.0.0.1:4010": "http://127.0.0.1:34567", "http://127.0.0.1:40101": "http://127.0.0.1:34568"}
	for text, want := range map[string]string{
		"http://127.0.0.1:4010":                                          "http://127.0.0.1:34567",
		"http://127.0.0.1:40101/":                                        "http://127.0.0.1:34568/",
		"http://127.0.0.1:40109/x":                                       "http://127.0.0.1:40109/x",
		"http://127.0.0.1:4010/a,b":                                      "http://127.0.0.1:34567/a,b",
		"http://user@127.0.0.1:4010/":                                    "http://user@127.0.0.1:4010/",
		"a,http://127.0.0.1:4010?x,http://127.0.0.1:40101":               "a,http://127.0.0.1:34567?x,http://127.0.0.1:34568",
		"see api.example and http://other.example/http://127.0.0.1:4010": "see api.example and http://other.example/http://127.0.0.1:34567",
		"": "",
	} {
		if got := m.in(text); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
}
