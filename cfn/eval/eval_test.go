package eval_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/seed-615d3599/roost/cfn/eval"
	"github.com/seed-615d3599/roost/cfn/tree"
)

// evaluate takes one value, as JSON, to what it comes to.
func evaluate(value string) (any, error) {
	root, err := tree.Parse("t", []byte(`{"v":`+value+`}`))
	if err != nil {
		return nil, err
	}
	scope := &eval.Scope{Root: root, Pseudo: eval.Pseudo{Region: "us-east-1"}}
	result, err := scope.Evaluate(root.Get("v"), eval.Lookup{}, eval.Resources)
	return result.Value, err
}

func quote(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// TestSplitUndoesJoin draws lists, and asks that what Join puts together Split
// takes apart.
func TestSplitUndoesJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.StringMatching(`[a-z {}$.]{0,5}`), 1, 5).Draw(t, "list")
		got, err := evaluate(`{"Fn::Split": ["|", {"Fn::Join": ["|", ` + quote(list) + `]}]}`)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]any, len(list))
		for i, s := range list {
			want[i] = s
		}
		if diff := cmp.Diff(any(want), got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// TestSubAgreesWithItsParts draws texts and variables, and puts them together
// by hand.
func TestSubAgreesWithItsParts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var text, want strings.Builder
		variables := map[string]string{}
		for i := range rapid.IntRange(0, 6).Draw(t, "parts") {
			literal := rapid.StringMatching(`[a-z $}]{0,4}[a-z ]`).Draw(t, "literal")
			name, value := fmt.Sprintf("V%d", i), rapid.StringMatching(`[a-z${}!]{0,6}`).Draw(t, "value")
			variables[name] = value
			text.WriteString(literal + "${" + name + "}${!" + name + "}")
			want.WriteString(literal + value + "${" + name + "}")
		}
		got, err := evaluate(`{"Fn::Sub": [` + quote(text.String()) + `,` + quote(variables) + `]}`)
		if err != nil {
			t.Fatal(err)
		}
		if got != want.String() {
			t.Fatalf("%q, want %q", got, want.String())
		}
	})
}

// TestCidrBlocks draws blocks, and asks that those made lie inside, one after
// the other.
func TestCidrBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		length := rapid.IntRange(0, 28).Draw(t, "length")
		bits := rapid.IntRange(1, 32-length).Draw(t, "bits")
		count := rapid.IntRange(1, min(256, 1<<(32-length-bits))).Draw(t, "count")
		addr := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address")))
		whole := netip.PrefixFrom(addr, length).Masked()
		got, err := evaluate(fmt.Sprintf(`{"Fn::Cidr": [%q, %d, "%d"]}`, whole, count, bits))
		if err != nil {
			t.Fatal(err)
		}
		blocks := got.([]any)
		if len(blocks) != count {
			t.Fatalf("%d blocks, want %d", len(blocks), count)
		}
		next := whole.Addr()
		for _, block := range blocks {
			p := netip.MustParsePrefix(block.(string))
			if p.Addr() != next || p.Bits() != 32-bits || !whole.Contains(p.Addr()) {
				t.Fatalf("%v in %v, after %v", p, whole, next)
			}
			next = after(p)
		}
	})
}

// after is the address behind a block.
func after(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	n := uint64(b[0])<<24 | uint64(b[1])<<16 | uint64(b[2])<<8 | uint64(b[3])
	n += 1 << (32 - p.Bits())
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

// TestNoValueLeavesNothingBehind puts AWS::NoValue everywhere it may stand.
func TestNoValueLeavesNothingBehind(t *testing.T) {
	none := `{"Ref": "AWS::NoValue"}`
	for value, want := range map[string]string{
		`{"a": ` + none + `, "b": [1, ` + none + `, 2]}`: `{"b":[1,2]}`,
		`{"Fn::Join": ["-", ["a", ` + none + `, "b"]]}`:  `"a-b"`,
		`{"Fn::Select": [1, ["a", ` + none + `, "b"]]}`:  `"b"`,
		`[[` + none + `]]`: `[[]]`,
	} {
		got, err := evaluate(value)
		if err != nil || quote(got) != want {
			t.Errorf("%s is %s, want %s (%v)", value, quote(got), want, err)
		}
	}
	if got, err := evaluate(`{"Fn::Base64": ` + none + `}`); err == nil {
		t.Errorf("Base64 of nothing is %v", got)
	}
}

// TestManyEvaluateAtOnce is for the race detector.
func TestManyEvaluateAtOnce(t *testing.T) {
	root, err := tree.Parse("t", []byte(`{"v": {"Fn::Sub": "${AWS::Region}-${P}"}, "M": {"a": {"b": ["c"]}}, "w": {"Fn::FindInMap": ["M", "a", "b"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	scope := &eval.Scope{
		Root: root, Pseudo: eval.Pseudo{Region: "r"}, Parameters: map[string]eval.Parameter{"P": {Value: "p", NoEcho: true}},
		Mappings: map[string]*tree.Node{"M": root.Get("M")},
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, key := range []string{"v", "w"} {
				result, err := scope.Evaluate(root.Get(key), eval.Lookup{}, eval.Resources)
				if err != nil {
					t.Error(err)
				}
				if key == "v" && (result.Value != "r-p" || len(result.Secrets) != 1) {
					t.Errorf("%v", result)
				}
			}
		})
	}
	wg.Wait()
}
