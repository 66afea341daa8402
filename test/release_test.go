// Package test tests what make runs that is no Go program.
package test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/need"
)

// TestRelease makes a release and looks at what came out.
func TestRelease(t *testing.T) {
	if os.Getenv("ROOST_TEST_ALL") == "" {
		t.Skip("four builds take long: make test does them")
	}
	need.Tool(t, "go")
	cmd := exec.Command("./release")
	cmd.Env = append(os.Environ(), "VERSION=v1.2.3-test")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	dist := filepath.Join(need.Root(t), "dist")
	sums, err := os.ReadFile(filepath.Join(dist, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	for _, system := range []string{"linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"} {
		data, err := os.ReadFile(filepath.Join(dist, "roost-"+system))
		if err != nil {
			t.Error(err)
			continue
		}
		if line := fmt.Sprintf("%x  roost-%s\n", sha256.Sum256(data), system); !strings.Contains(string(sums), line) {
			t.Errorf("the checksums lack %s", line)
		}
		if strings.Contains(string(data), need.Root(t)) {
			t.Errorf("the binary for %s holds the path of this folder", system)
		}
	}
	said, err := exec.Command(filepath.Join(dist, "roost-"+runtime.GOOS+"-"+runtime.GOARCH), "version").CombinedOutput()
	if err != nil || string(said) != "roost v1.2.3-test\n" {
		t.Errorf("it says %q, %v", said, err)
	}
}
