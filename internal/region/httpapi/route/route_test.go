package route

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestMatch(t *testing.T) {
	documented := []string{"GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"}
	cases := []struct {
		name         string
		keys         []string
		method, path string
		want         string
		params       string
	}{
		// The four worked requests of the Developer Guide, "Routing API requests".
		{"documented 1", documented, "GET", "/pets/dog/1", "GET /pets/dog/1", ""},
		{"documented 2", documented, "GET", "/pets/dog/2", "GET /pets/dog/{id}", "id=2"},
		{"documented 3", documented, "GET", "/pets/cat/1", "GET /pets/{proxy+}", "proxy=cat/1"},
		{"documented 4", documented, "POST", "/test/5", "ANY /{proxy+}", "proxy=test/5"},

		{"root goes to default", documented, "GET", "/", "$default", ""},
		{"method before ANY", []string{"ANY /a", "GET /a"}, "GET", "/a", "GET /a", ""},
		{"ANY for the others", []string{"ANY /a", "GET /a"}, "PUT", "/a", "ANY /a", ""},
		{"greedy when the method differs", []string{"POST /a", "ANY /{proxy+}"}, "GET", "/a", "ANY /{proxy+}", "proxy=a"},
		{"literal before variable", []string{"GET /{x}/b", "GET /a/{y}"}, "GET", "/a/b", "GET /a/{y}", "y=b"},
		{"back to the variable", []string{"GET /{x}/b", "GET /a/c"}, "GET", "/a/b", "GET /{x}/b", "x=a"},
		{"full before greedy", []string{"GET /a/{proxy+}", "GET /{x}/b"}, "GET", "/a/b", "GET /{x}/b", "x=a"},
		{"longest greedy", []string{"GET /{all+}", "GET /a/b/{rest+}", "GET /a/{rest+}"}, "GET", "/a/b/c/d", "GET /a/b/{rest+}", "rest=c/d"},
		{"greedy behind a variable", []string{"GET /{a}/{b+}"}, "GET", "/x/y/z", "GET /{a}/{b+}", "a=x b=y/z"},
		{"greedy needs a value", []string{"GET /a/{rest+}"}, "GET", "/a/", "", ""},
		{"variable needs a value", []string{"GET /a/{b}"}, "GET", "/a/", "", ""},
		{"trailing slash is a segment", []string{"GET /a"}, "GET", "/a/", "", ""},
		{"trailing slash of its own", []string{"GET /a/"}, "GET", "/a/", "GET /a/", ""},
		{"names belong to the route", []string{"GET /a/{x}", "POST /a/{y}"}, "POST", "/a/1", "POST /a/{y}", "y=1"},
		{"case matters", []string{"GET /a"}, "GET", "/A", "", ""},
		{"no route", []string{"GET /a"}, "POST", "/a", "", ""},
		{"asterisk", []string{"ANY /{p+}"}, "OPTIONS", "*", "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			table, err := Compile(c.keys)
			if err != nil {
				t.Fatal(err)
			}
			i, params, ok := table.Match(c.method, c.path, nil)
			got := ""
			if ok {
				got = c.keys[i]
			}
			var list []string
			for _, p := range params {
				list = append(list, p.Name+"="+p.Value)
			}
			if got != c.want || strings.Join(list, " ") != c.params {
				t.Errorf("got %q %v, want %q %q", got, list, c.want, c.params)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	cases := map[string][]string{
		"no method":            {"/a"},
		"lower-case method":    {"get /a"},
		"unknown method":       {"TRACE /a"},
		"relative path":        {"GET a"},
		"greedy in the middle": {"GET /{a+}/b"},
		"half a variable":      {"GET /a{b}"},
		"empty variable":       {"GET /{}"},
		"empty greedy":         {"GET /{+}"},
		"name twice":           {"GET /{a}/{a}"},
		"query":                {"GET /a?b"},
		"the same":             {"GET /a", "GET /a"},
		"the same but a name":  {"GET /{a}", "GET /{b}"},
		"two greedy":           {"ANY /{a+}", "ANY /{b+}"},
		"two defaults":         {"$default", "$default"},
	}
	for name, keys := range cases {
		if _, err := Compile(keys); err == nil {
			t.Errorf("%s: %q was taken", name, keys)
		}
	}
}

// TestMatchAgreesWithTheRules compares the tree with a reading of the rules
// that tries every route.
func TestMatchAgreesWithTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		segment := rapid.SampledFrom([]string{"a", "b", "c", "{x}", "{y}", "{z+}", ""})
		var keys []string
		for range rapid.IntRange(0, 12).Draw(t, "routes") {
			path := rapid.SliceOfN(segment, 1, 4).Draw(t, "route")
			key := rapid.SampledFrom([]string{"GET", "POST", "ANY"}).Draw(t, "method") + " /" + strings.Join(path, "/")
			if _, err := Compile(append(keys, key)); err == nil {
				keys = append(keys, key)
			}
		}
		table, err := Compile(keys)
		if err != nil {
			t.Fatal(err)
		}
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "d", ""}), 1, 5).Draw(t, "path")
		path := "/" + strings.Join(parts, "/")
		got := "none"
		if i, params, ok := table.Match("GET", path, nil); ok {
			got = fmt.Sprint(keys[i], params)
		}
		if diff := cmp.Diff(byRules(keys, path), got); diff != "" {
			t.Errorf("%q for %s: %s", keys, path, diff)
		}
	})
}

// byRules ranks all routes that match GET path: full before greedy, and from
// the left a literal before a variable before a greedy one, a method before ANY.
func byRules(keys []string, path string) string {
	best, answer := "", "none"
	for _, key := range keys {
		method, pattern, _ := strings.Cut(key, " ")
		if method == "POST" {
			continue
		}
		rank, params := "0", []Param{}
		want, have := strings.Split(pattern[1:], "/"), strings.Split(path[1:], "/")
		matches := true
		for i, w := range want {
			name, kind := variable(w)
			switch {
			case i >= len(have):
				matches = false
			case kind == literal:
				matches = matches && w == have[i]
				rank += "0"
			case kind == single:
				matches = matches && have[i] != ""
				rank += "1"
				params = append(params, Param{name, have[i]})
			default:
				rest := strings.Join(have[i:], "/")
				matches = matches && rest != ""
				rank = "1" + rank[1:] + "2"
				params = append(params, Param{name, rest})
				have = have[:i+1]
			}
			if !matches {
				break
			}
		}
		if !matches || len(want) != len(have) {
			continue
		}
		if rank += method[:1]; method == "ANY" {
			rank = rank[:len(rank)-1] + "Z"
		}
		if best == "" || rank < best {
			best, answer = rank, fmt.Sprint(key, params)
		}
	}
	return answer
}

func FuzzMatch(f *testing.F) {
	table, err := Compile([]string{"GET /a/{b}", "ANY /a/{c+}", "GET /{x}/{y}/{z}", "$default"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("/a/b/c")
	f.Fuzz(func(t *testing.T, path string) {
		if _, _, ok := table.Match("GET", path, nil); !ok {
			t.Error("the default route does not match")
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{10, 300} {
		var keys []string
		for i := range n {
			keys = append(keys, fmt.Sprintf("GET /r%d/{id}/sub", i))
		}
		table, _ := Compile(keys)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var params []Param
			for b.Loop() {
				_, params, _ = table.Match("GET", "/r7/1/sub", params[:0])
			}
		})
	}
}
