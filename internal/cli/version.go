package cli

import (
	"cmp"
	"fmt"
	"runtime/debug"

	"github.com/seed-615d3599/roost/internal/cli/session"
)

// version is that of a release: test/release has the linker write it here, and
// nothing else does.
var version string

type versionCommand struct{}

// Run prints the version of the release, or else the one that the build knows.
func (c *versionCommand) Run(s *session.Session) error {
	built := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		built = info.Main.Version
	}
	_, err := fmt.Fprintf(s.Out, "roost %s\n", cmp.Or(version, built))
	return err
}
