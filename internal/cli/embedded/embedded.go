// Package embedded is the embedded region as the commands meet it: it starts one in
// this process, finds the one that runs beside, and calls it.
//
//	started, err := embedded.Start(ctx, s, embedded.Settings{App: app, Port: 4000}) // until started.Close
//	running, err := embedded.Running(app)                                          // or says how to start it
//	err = embedded.Client(running).JSON(ctx, operation, in, &out)
package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"

	"github.com/seed-615d3599/roost/internal/cli/follow"
	"github.com/seed-615d3599/roost/internal/cli/session"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/region"
	"github.com/seed-615d3599/roost/internal/region/lambda/debugger"
	"github.com/seed-615d3599/roost/internal/region/lambda/isolation"
	"github.com/seed-615d3599/roost/internal/region/lambda/supervisor"
	"github.com/seed-615d3599/roost/internal/term"
)

// Settings say how the embedded region is to be started.
type Settings struct {
	App     *config.App
	State   string // the folder of its state; empty means the app's
	Port    int    // 0 picks
	Twitter string // base URL of another Twitter than the stand-in
	// Temporary says that the region lives for one command only, which wants
	// no lines of requests.
	Temporary bool
	Functions FunctionFlags
	Debug     *debugger.Debugger // nil: nothing is debugged
}

// FunctionFlags say how the embedded region runs functions.
type FunctionFlags struct {
	MaxEnvironments int  `placeholder:"N" help:"How many processes of functions may run at once; by default by cores and memory."`
	Isolate         bool `help:"Show functions Lambda's own paths, such as a /tmp of their own, by namespaces of Linux."`
}

// Check refuses what cannot be.
func (f FunctionFlags) Check() error {
	if f.MaxEnvironments < 0 {
		return session.Usage{Err: fmt.Errorf("--max-environments %d: a number of processes is 1 or more", f.MaxEnvironments)}
	}
	return nil
}

// Started is a region that runs in this process.
type Started struct {
	*region.Region
	Info  *config.Region // as region.json has it
	close func() error
}

// Close ends the region, and takes its region.json away.
func (s *Started) Close() error { return s.close() }

// Start runs the embedded region in this process, and says where it is
// in the app's region.json until it is closed.
func Start(ctx context.Context, s *session.Session, settings Settings) (*Started, error) {
	state := settings.State
	if state == "" {
		state = settings.App.StateDir()
	}
	supervise, err := Supervisor()
	if err != nil {
		return nil, err
	}
	var isolate []string
	if settings.Functions.Isolate {
		isolate = []string{supervise[0], isolation.Argument}
	}
	warm := 0
	if settings.Debug == nil && !settings.Temporary {
		warm = runtime.NumCPU()
	}
	requests := follow.New()
	r, err := region.Start(ctx, region.Config{
		Debug: settings.Debug, Served: requests.Served, Dir: state, App: settings.App.Dir, Port: settings.Port, Twitter: settings.Twitter,
		Account: settings.App.LocalAccount, Region: settings.App.LocalRegion,
		Done: s.Done, Warm: warm, Supervisor: supervise, Warn: s.Term.Warn, Isolate: isolate, MaxEnvironments: settings.Functions.MaxEnvironments,
		Record: func(typeName string) bool { return slices.Contains(settings.App.Record, typeName) },
	})
	var taken *region.PortError
	if errors.As(err, &taken) {
		return nil, term.WithHint(err, "end that process, or choose other ports with --port (0 picks free ones)")
	}
	if err != nil {
		return nil, fmt.Errorf("start the region: %w", err)
	}
	started := &Started{Region: r, Info: info(r)}
	stopPrinting := func() {}
	if !settings.Temporary {
		s.Term.Note(r.MemoryLimits)
		events, end := r.Follow()
		stopPrinting = requests.Print(events, end, s.Term.Print)
	}
	file := settings.App.RegionFile()
	started.close = func() error {
		stopPrinting()
		return errors.Join(removeOwn(file), r.Close())
	}
	if err := config.WriteRegion(file, started.Info); err != nil {
		return nil, errors.Join(err, started.Close())
	}
	s.Done("write region.json")
	return started, nil
}

func info(r *region.Region) *config.Region {
	return &config.Region{
		Endpoint: r.Endpoint, Twitter: r.Twitter, PID: os.Getpid(), Account: r.Account, Region: r.Name,
		CABundle: r.CABundle, AccessKeyID: r.AccessKeyID, SecretAccessKey: r.SecretAccessKey,
	}
}

// Supervisor is how this program is started as the supervisor of a
// region's functions: by the name it was started with, or by its file.
func Supervisor() ([]string, error) {
	program, err := exec.LookPath(os.Args[0])
	if err != nil {
		if program, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	return []string{program, supervisor.Argument}, nil
}

// removeOwn removes a region.json that this process has written.
func removeOwn(file string) error {
	found, err := config.ReadRegion(file)
	if err != nil || found == nil || found.PID != os.Getpid() {
		return err
	}
	return os.Remove(file)
}
