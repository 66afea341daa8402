package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"

	"github.com/seed-615d3599/roost/internal/cli/embedded"
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/control"
	"github.com/seed-615d3599/roost/internal/region/decisions"
	"github.com/seed-615d3599/roost/internal/term"
)

type explainCommand struct {
	ID   string       `arg:"" optional:"" help:"The id of the request: the header Apigw-Requestid of an API, x-amzn-RequestId of a service. By default the last that was refused."`
	Last bool         `help:"Explain the last request that was refused, which is what happens without an ID."`
	JSON session.JSON `help:"Print the record as JSON."`
	Dir  string       `default:"." help:"The app's folder."`
}

// Run prints why a request was refused.
func (c *explainCommand) Run(ctx context.Context, s *session.Session) error {
	if info, err := os.Stat(c.ID); c.ID != "" && err == nil && info.IsDir() {
		return session.Usage{Err: fmt.Errorf("%s is a folder, not the id of a request: name the app's folder with --dir %[1]s", c.ID)}
	}
	if c.ID != "" && c.Last {
		return session.Usage{Err: errors.New("give an ID or --last, not both")}
	}
	var found decisions.ExplainOutput
	if err := askRegion(ctx, c.Dir, "Explain", decisions.ExplainInput{RequestID: c.ID}, &found); err != nil {
		return err
	}
	s.Report().Refusal(&found.Refusal, found.Remedy)
	return nil
}

// maxOwnAnswer bounds what is read of an answer of the region's own service, in
// bytes: a list of uses is long.
const maxOwnAnswer = 64 << 20

// askRegion calls an operation of the running region's own service. What it
// refuses it says in its own words.
func askRegion(ctx context.Context, dir, operation string, in, out any) error {
	c, err := embedded.ClientOf(dir)
	if err != nil {
		return err
	}
	c.MaxAnswer = maxOwnAnswer
	err = c.JSON(ctx, control.Operation{Service: "roost", Target: "Roost." + operation}, in, out)
	var refused *control.Error
	var unreachable *url.Error
	switch {
	case errors.As(err, &refused) && refused.Message != "":
		return errors.New(refused.Message)
	case errors.As(err, &unreachable):
		return term.WithHint(err, "is the region running? \"roost start\" starts it")
	}
	return err
}
