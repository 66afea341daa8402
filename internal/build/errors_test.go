package build

import "testing"

// A problem without a line names the entry once.
func TestAnErrorNamesItsEntryOnce(t *testing.T) {
	for _, test := range []struct {
		problem Problem
		want    string
	}{
		{Problem{File: "src/f.js", Text: "it exports no main"}, "build src/f.js: it exports no main"},
		{Problem{File: "src/f.js", Line: 2, Text: "odd"}, "build src/f.js: src/f.js:2: odd"},
		{Problem{File: "requirements.txt", Text: "odd"}, "build src/f.js: requirements.txt: odd"},
	} {
		if got := (&Error{Entry: "src/f.js", Problems: []Problem{test.problem}}).Error(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// What the disk lacks is not for the editor to correct.
func TestAFullDiskIsNotToBeCorrected(t *testing.T) {
	full := []Problem{{Text: "copying a.out to bootstrap: write bootstrap: no space left on device"}}
	if got := goRemedy(full); got != "free some space on that disk, and save again" {
		t.Errorf("got %q", got)
	}
}
