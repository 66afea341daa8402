package assembly_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost"
	"github.com/seed-615d3599/roost/internal/assembly"
	"github.com/seed-615d3599/roost/internal/need"
)

// TestCDKReads has the unmodified CDK command line read an assembly: it checks
// the manifest against its own schema.
func TestCDKReads(t *testing.T) {
	cdk := need.Tool(t, "cdk")
	dir := synth(t, roost.Config{})
	out := filepath.Join(t.TempDir(), "assembly")
	if _, err := assembly.Finish(dir, out, zips(t, dir, "a")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(cdk, "ls", "--long", "--app", out, "--no-notices", "--no-version-reporting")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "CI=1", "HOME="+cmd.Dir, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=x", "AWS_SECRET_ACCESS_KEY=y",
		"CDK_DISABLE_CLI_TELEMETRY=true", "CDK_DISABLE_VERSION_CHECK=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	listed, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var ids []string
	for line := range strings.Lines(string(listed)) {
		if id, found := strings.CutPrefix(line, "- id: "); found {
			ids = append(ids, strings.TrimSpace(id))
		}
	}
	if diff := cmp.Diff([]string{"dev-app-a-web", "dev-app-data"}, ids); diff != "" {
		t.Errorf("%s\n%s", diff, listed)
	}
}
