package live

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/cli/target"
	"github.com/seed-615d3599/roost/internal/cli/vault"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/deploy"
	"github.com/seed-615d3599/roost/internal/region"
	"github.com/seed-615d3599/roost/internal/synth"
)

// standing is what a start notes about a stage that stands: by it the next one
// serves at once if nothing has changed. It is kept with mode 0600, because it
// holds a hash of the environment.
type standing struct {
	Made     synth.Mark      `json:"made"`
	Assembly string          `json:"assembly"` // see digest
	Stacks   []standingStack `json:"stacks"`
	Kept     map[string]int  `json:"kept"` // versions of the secrets that the region keeps
	// Open and Signed are routes to suggest, as routes finds them.
	Open   string `json:"open"`
	Signed string `json:"signed"`
}

// standingStack is a stack as it was found after its deployment. Whatever
// changes it sets Updated.
type standingStack struct {
	ID, Name, Status string
	Updated          float64 // in seconds since 1970
	Protected        bool
}

func standingFile(app *config.App) string { return filepath.Join(app.StageDir(), "standing.json") }

// readStanding returns the note of an earlier start, or nil.
func readStanding(app *config.App) *standing {
	data, err := os.ReadFile(standingFile(app))
	note := new(standing)
	if err != nil || json.Unmarshal(data, note) != nil || len(note.Stacks) == 0 {
		return nil
	}
	return note
}

// note writes down that the stage stands as it was made, if that is certain.
// Without a note the next start does the whole work.
func (l *liveApp) note(ctx context.Context, made *assembly.Assembly) error {
	marker, ok := l.source.(synth.Marker)
	if !ok || l.debug != nil {
		return nil
	}
	mark, ok := marker.Mark()
	if !ok {
		return nil
	}
	n := standing{Made: mark, Assembly: digest(made)}
	n.Open, n.Signed = routes(made)
	for _, stack := range made.Stacks {
		described, err := describe(ctx, l.region, stack.Name)
		if err != nil || !tellsAPIs(ctx, l.region, described) {
			return nil
		}
		n.Stacks = append(n.Stacks, described.standing())
	}
	var err error
	if n.Kept, err = l.keptSecrets(ctx, made); err != nil {
		return nil
	}
	data, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return config.WriteSecret(standingFile(l.app), data)
}

// digest is a hash of all that is deployed of an assembly.
func digest(made *assembly.Assembly) string {
	h := sha256.New()
	for _, s := range made.Stacks {
		text, err := s.Template()
		if err != nil {
			return "unreadable"
		}
		h.Write(text)
		rest := *s
		rest.TemplateFile, rest.TemplateAsset, rest.Assets = "", nil, nil
		data, err := json.Marshal(rest) // texts only
		if err != nil {
			return "unreadable"
		}
		h.Write(data)
		for _, a := range s.Assets {
			h.Write([]byte(a.ID + "\n"))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// described is a stack as DescribeStacks has it.
type described struct {
	StackID                     string `json:"StackId"`
	StackName, StackStatus      string
	CreationTime                float64 // in seconds since 1970, to the millisecond
	LastUpdatedTime             float64
	EnableTerminationProtection bool
	Outputs                     []struct{ OutputKey, OutputValue, ExportName string }
}

func describe(ctx context.Context, r *region.Region, name string) (described, error) {
	var out struct{ Stacks []described }
	err := r.Call(ctx, "cloudformation", "DescribeStacks", map[string]string{"StackName": name}, &out)
	if err != nil || len(out.Stacks) != 1 {
		return described{}, err
	}
	return out.Stacks[0], nil
}

func (d described) standing() standingStack {
	return standingStack{ID: d.StackID, Name: d.StackName, Status: d.StackStatus,
		Updated: max(d.CreationTime, d.LastUpdatedTime), Protected: d.EnableTerminationProtection}
}

// outputs returns the outputs and the exports.
func (d described) outputs() (outputs, exports []deploy.Pair) {
	for _, o := range d.Outputs {
		outputs = append(outputs, deploy.Pair{Name: o.OutputKey, Value: o.OutputValue})
		if o.ExportName != "" {
			exports = append(exports, deploy.Pair{Name: o.ExportName, Value: o.OutputValue})
		}
	}
	byName := func(a, b deploy.Pair) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(outputs, byName)
	slices.SortFunc(exports, byName)
	return outputs, exports
}

// tellsAPIs reports whether the URLs of a stack's APIs are all in its outputs,
// so that its result block needs nothing else.
func tellsAPIs(ctx context.Context, r *region.Region, d described) bool {
	type resource struct{ PhysicalResourceID, ResourceType string }
	urls := r.APIs()
	outputs, _ := d.outputs()
	untold := func(one resource) bool {
		return one.ResourceType == target.APIType &&
			!slices.ContainsFunc(outputs, func(o deploy.Pair) bool { return o.Value == urls[one.PhysicalResourceID] })
	}
	in := map[string]string{"StackName": d.StackName}
	for {
		var out struct {
			StackResourceSummaries []resource
			NextToken              string
		}
		if r.Call(ctx, "cloudformation", "ListStackResources", in, &out) != nil || slices.ContainsFunc(out.StackResourceSummaries, untold) {
			return false
		}
		if out.NextToken == "" {
			return true
		}
		in["NextToken"] = out.NextToken
	}
}

// keptSecrets returns the versions of the parameters that secrets of the
// assembly come from: those that the environment has no value for.
func (l *liveApp) keptSecrets(ctx context.Context, made *assembly.Assembly) (map[string]int, error) {
	env, err := l.app.Environ(l.Env)
	if err != nil {
		return nil, err
	}
	kept := map[string]int{}
	for _, stack := range made.Stacks {
		for _, secret := range stack.Secrets {
			if value, found := config.Lookup(env, secret.Variable); found && value != "" {
				continue
			}
			if kept[secret.Variable], err = l.keptVersion(ctx, secret.Variable); err != nil {
				return nil, err
			}
		}
	}
	return kept, nil
}

// keptVersion returns the version of a secret that the region keeps.
func (l *liveApp) keptVersion(ctx context.Context, name string) (int, error) {
	var out struct{ Parameter struct{ Version int } }
	err := l.region.Call(ctx, "ssm", "GetParameter", map[string]string{"Name": vault.Path(l.app) + name}, &out)
	return out.Parameter.Version, err
}

// stands reports whether the region has the stage as a note says, and returns
// what a deployment would.
func (l *liveApp) stands(ctx context.Context, n *standing) ([]deploy.Result, bool) {
	var results []deploy.Result
	for _, was := range n.Stacks {
		now, err := describe(ctx, l.region, was.Name)
		if err != nil || now.standing() != was || !strings.HasSuffix(was.Status, "_COMPLETE") {
			return nil, false
		}
		result := deploy.Result{Stack: was.Name, Status: deploy.NoChanges}
		result.Outputs, result.Exports = now.outputs()
		results = append(results, result)
	}
	for name, version := range n.Kept {
		if now, err := l.keptVersion(ctx, name); err != nil || now != version {
			return nil, false
		}
	}
	return results, true
}
