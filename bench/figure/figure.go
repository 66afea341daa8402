// Package figure is how the programs under bench tell what they measured: a
// figure a line, which a person reads and "go run ./bench" collects.
//
//	fmt.Println(figure.Header())
//	f := figure.Figure{Name: "cold start, Go", Ours: "9ms", Baseline: "8ms", Ratio: 1.12, AtMost: true, Bound: 1.5}
//	fmt.Println(f) // cold start, Go   9ms   8ms   1.12   at most 1.50   ok
package figure

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Figure is one thing that was measured beside another.
type Figure struct {
	Name     string
	Ours     string // with its unit
	Baseline string // "-" without one
	Ratio    float64
	AtMost   bool // the ratio may be Bound at most; else it is to be Bound at least
	Bound    float64
}

// Header returns the line above the figures.
func Header() string {
	return fmt.Sprintf("%-58s %14s %14s %8s   %s", "name", "ours", "baseline", "ratio", "required")
}

// OK reports whether the figure is within its bound, as far as it is printed.
func (f Figure) OK() bool {
	hundredths := func(n float64) int { return int(math.Round(n * 100)) }
	if f.AtMost {
		return hundredths(f.Ratio) <= hundredths(f.Bound)
	}
	return hundredths(f.Ratio) >= hundredths(f.Bound)
}

// String is the figure's line.
func (f Figure) String() string {
	bound, verdict := "at least", "MISSED"
	if f.AtMost {
		bound = "at most"
	}
	if f.OK() {
		verdict = "ok"
	}
	return fmt.Sprintf("%-58s %14s %14s %8.2f   %-8s %5.2f   %s", f.Name, f.Ours, f.Baseline, f.Ratio, bound, f.Bound, verdict)
}

var pattern = regexp.MustCompile(`^(\S.*?)\s+(\S+)\s+(\S+)\s+(-?\d+(?:\.\d+)?)\s+at (most|least)\s+(\d+(?:\.\d+)?)(?:\s+(?:ok|MISSED))?\s*$`)

// Parse reads a figure's line. Lines of other kinds are not figures.
func Parse(line string) (Figure, bool) {
	m := pattern.FindStringSubmatch(line)
	if m == nil {
		return Figure{}, false
	}
	ratio, _ := strconv.ParseFloat(m[4], 64) // the pattern lets only numbers through
	bound, _ := strconv.ParseFloat(m[6], 64)
	return Figure{Name: m[1], Ours: m[2], Baseline: m[3], Ratio: ratio, AtMost: m[5] == "most", Bound: bound}, true
}

// Median is the middle of the values, the upper one of two.
func Median[T int | float64 | time.Duration](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// Times compares two lists of times that were measured in turn: the medians of
// both, and the median of the ratios of each round, which a machine that is busy
// for a while disturbs least.
func Times(name string, ours, baseline []time.Duration, bound float64) Figure {
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = float64(ours[i]) / float64(baseline[i])
	}
	return Figure{Name: name, Ours: rounded(Median(ours)), Baseline: rounded(Median(baseline)), Ratio: Median(ratios), AtMost: true, Bound: bound}
}

// rounded writes a time in microseconds, and a shorter one as it is.
func rounded(d time.Duration) string {
	if d >= 10*time.Microsecond {
		d = d.Round(time.Microsecond)
	}
	return d.String()
}
