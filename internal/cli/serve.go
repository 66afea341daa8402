package cli

import (
	"context"
	"errors"

	"github.com/seed-615d3599/roost/internal/cli/embedded"
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/config"
)

type serveCommand struct {
	Port    int    `default:"4000" help:"The region's port; the Twitter stand-in takes the next one. 0 picks all ports."`
	State   string `placeholder:"DIR" help:"The folder of the region's state; by default .roost/state."`
	Twitter string `placeholder:"URL" help:"Verify tokens at this Twitter instead of the stand-in."`
	embedded.FunctionFlags
}

// Run runs the region until it is interrupted.
func (c *serveCommand) Run(ctx context.Context, s *session.Session) (err error) {
	if err := errors.Join(embedded.CheckPort("--port", c.Port), c.Check()); err != nil {
		return err
	}
	app, err := config.Bare(".", "")
	if err != nil {
		return err
	}
	app.ForLocal()
	if err := embedded.RefuseSecond(app.RegionFile()); err != nil {
		return err
	}
	started, err := embedded.Start(ctx, s, embedded.Settings{App: app, State: c.State, Port: c.Port, Twitter: c.Twitter, Functions: c.FunctionFlags})
	if err != nil {
		return err
	}
	s.Term.Printf("The region answers at %s, and Twitter at %s.", started.Info.Endpoint, started.Info.Twitter)
	s.Term.Print("\"roost env\" prints what aws and the SDKs need; ctrl-C ends it.")
	<-ctx.Done()
	s.Term.Print("\nStopping")
	return started.Close()
}
