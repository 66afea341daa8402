package live

import (
	"cmp"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/cli/target"
	"github.com/seed-615d3599/roost/internal/config"
	"go.yaml.in/yaml/v3"
)

// printNext prints what to call next, ready to paste into another terminal in
// the same folder.
// open and signed are paths of routes, as routes finds them.
func printNext(s *session.Session, app *config.App, r *config.Region, open, signed string) {
	s.Term.Printf("\nThe region answers at %s, and Twitter at %s.", r.Endpoint, r.Twitter)
	for _, line := range suggestions(app, r, open, signed) {
		s.Term.Print(line)
	}
	s.Term.Print("Waiting for requests and edits; ctrl-C ends it.\n")
}

func suggestions(app *config.App, r *config.Region, open, signed string) []string {
	outputs, err := app.Outputs()
	endpoints := outputs.Named(config.EndpointOutput)
	if err != nil || len(endpoints) == 0 {
		return nil
	}
	lines := []string{"Try, in another terminal:"}
	for _, path := range []string{open, signed} {
		if path != "" {
			lines = append(lines, "  curl "+strings.TrimSuffix(endpoints[0], "/")+path)
		}
	}
	if signed == "" || len(outputs.Named(config.PoolOutput)) == 0 {
		return lines
	}
	where := ""
	if dir := session.Below(app.Dir); dir != "." {
		where = " --dir " + quote(dir)
	}
	as := ""
	if target.OnThisMachine(r.Twitter) {
		as = " --as fanjiewang"
	}
	self := self()
	return append(lines,
		"  "+self+" login twitter"+as+where,
		"  "+self+" curl "+signed+where)
}

// self is how a person starts this program again.
func self() string {
	path, err := os.Executable()
	switch {
	case err != nil:
		return "roost"
	case strings.Contains(path, "go-build"):
		return "go run ./cmd/roost"
	}
	if found, err := exec.LookPath("roost"); err == nil && sameFile(found, path) {
		return "roost"
	}
	return quote(path)
}

func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}

// quote makes a path safe to paste into a shell.
func quote(text string) string {
	if strings.IndexFunc(text, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("./-_+,@", r))
	}) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// routes returns the path of a GET route that is open and of one that wants
// signatures, empty where there is none without variables in it.
func routes(made *assembly.Assembly) (open, signed string) {
	for _, stack := range made.Stacks {
		text, err := stack.Template()
		if err != nil {
			continue
		}
		var template struct {
			Resources map[string]struct {
				Type       string    `yaml:"Type"`
				Properties yaml.Node `yaml:"Properties"`
			} `yaml:"Resources"`
		}
		if yaml.Unmarshal(text, &template) != nil {
			continue
		}
		for _, id := range slices.Sorted(maps.Keys(template.Resources)) {
			var route struct {
				RouteKey          string `yaml:"RouteKey"`
				AuthorizationType string `yaml:"AuthorizationType"`
			}
			r := template.Resources[id]
			if r.Type != "AWS::ApiGatewayV2::Route" || r.Properties.Decode(&route) != nil {
				continue
			}
			method, path, _ := strings.Cut(route.RouteKey, " ")
			if !slices.Contains([]string{"GET", "ANY"}, method) || strings.Contains(path, "{") {
				continue
			}
			switch cmp.Or(route.AuthorizationType, "NONE") {
			case "NONE":
				open = cmp.Or(open, path)
			case "AWS_IAM":
				signed = cmp.Or(signed, path)
			}
		}
	}
	return open, signed
}
