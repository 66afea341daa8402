package embedded

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/control"
	"github.com/seed-615d3599/roost/internal/term"
	"github.com/seed-615d3599/roost/sigv4"
)

// Running returns the app's region or says how to start it.
func Running(app *config.App) (*config.Region, error) {
	running, err := app.Region()
	if err == nil && running == nil {
		err = term.WithHint(errors.New("the embedded region does not run"), "run \"roost start\" in another terminal")
	}
	return running, err
}

// Client calls the embedded region as its administrator.
func Client(r *config.Region) control.Client {
	return control.Client{Endpoint: r.Endpoint, Region: r.Region, Credentials: sigv4.Credentials{
		AccessKeyID: r.AccessKeyID, SecretAccessKey: r.SecretAccessKey}}
}

// ClientOf calls the region that runs for the app of a folder.
func ClientOf(dir string) (control.Client, error) {
	app, err := config.Bare(dir, "")
	if err != nil {
		return control.Client{}, err
	}
	r, err := Running(app)
	if err != nil {
		return control.Client{}, err
	}
	return Client(r), nil
}

// RefuseSecond ends a second region on the same state before it begins.
func RefuseSecond(regionFile string) error {
	running, err := config.ReadRegion(regionFile)
	if err != nil || running == nil {
		return err
	}
	port := running.Endpoint
	if u, err := url.Parse(running.Endpoint); err == nil {
		port = u.Port()
	}
	return term.WithHint(fmt.Errorf("the region of this app runs already: process %d, port %s", running.PID, port),
		fmt.Sprintf("use it with \"roost deploy\", or end it with ctrl-C in its terminal or \"kill %d\"", running.PID))
}

// CheckPort refuses what is no port. flag names it.
func CheckPort(flag string, port int) error {
	if port < 0 || port > 65535 {
		return session.Usage{Err: fmt.Errorf("%s %d: a port is a number from 0 to 65535", flag, port)}
	}
	return nil
}
