package figure

import (
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for _, f := range []Figure{
		{Name: "throughput, of the naive gateway's", Ours: "2910/s", Baseline: "2331/s", Ratio: 1.25, Bound: 1.15},
		{Name: "a name that is longer than the column which was made for it", Ours: "1.5ms", Baseline: "-", Ratio: 0.7, AtMost: true, Bound: 0.7},
		{Name: "ms over the bundler's own", Ours: "8ms", Baseline: "9ms", Ratio: -1.25, AtMost: true, Bound: 100},
	} {
		got, ok := Parse(f.String())
		if !ok || got != f {
			t.Errorf("%q reads as %+v", f.String(), got)
		}
		if !strings.HasSuffix(f.String(), " ok") {
			t.Errorf("%q is within its bound", f.String())
		}
	}
	if f, ok := Parse("create 10: a resource / a committed row     1.2ms    300µs     4.00   at most 5.00"); !ok || f.Ratio != 4 || f.Ours != "1.2ms" || !f.OK() {
		t.Errorf("got %+v", f)
	}
	for _, line := range []string{"", Header(), "roost, public    2438   5.7ms   27ms   180µs", "  12 requests at most 3"} {
		if f, ok := Parse(line); ok {
			t.Errorf("%q reads as %+v", line, f)
		}
	}
}

func TestOK(t *testing.T) {
	for _, test := range []struct {
		f    Figure
		want bool
	}{
		{Figure{Ratio: 1.16, Bound: 1.15}, true}, {Figure{Ratio: 1.14, Bound: 1.15}, false},
		{Figure{Ratio: 0.704, Bound: 0.7, AtMost: true}, true}, {Figure{Ratio: 0.71, Bound: 0.7, AtMost: true}, false},
	} {
		if test.f.OK() != test.want || strings.Contains(test.f.String(), "MISSED") == test.want {
			t.Errorf("%v", test.f)
		}
	}
}

func TestTimes(t *testing.T) {
	ms := time.Millisecond
	f := Times("x", []time.Duration{ms, 9 * ms, 2 * ms}, []time.Duration{2 * ms, 9 * ms, 4 * ms}, 1)
	if f.Ratio != 0.5 || f.Ours != "2ms" || f.Baseline != "4ms" {
		t.Errorf("got %+v", f)
	}
	f = Times("x", []time.Duration{987}, []time.Duration{12345}, 1)
	if f.Ours != "987ns" || f.Baseline != "12µs" {
		t.Errorf("got %+v", f)
	}
}
