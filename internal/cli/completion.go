package cli

import (
	"strings"

	"github.com/alecthomas/kong"
	"github.com/seed-615d3599/roost/internal/cli/completion"
	"github.com/seed-615d3599/roost/internal/cli/session"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help tells how a shell gets it.
func (c *completionCommand) Help() string {
	return `bash: source <(roost completion bash)
zsh:  source <(roost completion zsh)
fish: roost completion fish | source`
}

// Run prints a script that completes commands and flags.
func (c *completionCommand) Run(s *session.Session, parsed *kong.Context) error {
	s.Term.Print(strings.TrimSuffix(completion.Script(c.Shell, parsed.Model.Node), "\n"))
	return nil
}
