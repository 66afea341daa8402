package cli

import (
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/scaffold"
)

type newCommand struct {
	Dir      string `arg:"" help:"The folder to make. It must not be there, or be empty."`
	Template string `default:"go" enum:"go,node,typescript" help:"What the functions are written in: go, node or typescript."`
}

// Run writes the app.
func (c *newCommand) Run(s *session.Session) error {
	if err := scaffold.New(c.Dir, c.Template); err != nil {
		return err
	}
	s.Term.Printf("Created %s\n\nNext:\n  cd %s\n  roost start", c.Dir, c.Dir)
	return nil
}
