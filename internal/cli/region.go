package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"

	"github.com/seed-615d3599/roost/internal/cli/follow"
	"github.com/seed-615d3599/roost/internal/config"
	"github.com/seed-615d3599/roost/internal/region"
	"github.com/seed-615d3599/roost/internal/region/lambda/debugger"
	"github.com/seed-615d3599/roost/internal/region/lambda/isolation"
	"github.com/seed-615d3599/roost/internal/region/lambda/supervisor"
	"github.com/seed-615d3599/roost/internal/term"
)

// startRegion runs the embedded region in this process, and says where it is
// in the app's region.json until it is closed.
func (s *session) startRegion(ctx context.Context, settings regionSettings) (*startedRegion, error) {
	state := settings.state
	if state == "" {
		state = settings.app.StateDir()
	}
	supervise, err := superviseCommand()
	if err != nil {
		return nil, err
	}
	var isolate []string
	if settings.functions.Isolate {
		isolate = []string{supervise[0], isolation.Argument}
	}
	var debug *debugger.Debugger
	if settings.debug != nil {
		debug = settings.debug.Debugger
	}
	warm := 0
	if settings.debug == nil && !settings.temporary {
		warm = runtime.NumCPU()
	}
	requests := follow.New()
	r, err := region.Start(ctx, region.Config{
		Debug: debug, Served: requests.Served, Dir: state, App: settings.app.Dir, Port: settings.port, Twitter: settings.twitter,
		Account: settings.app.LocalAccount, Region: settings.app.LocalRegion,
		Done: s.done, Warm: warm, Supervisor: supervise, Warn: s.term.Warn, Isolate: isolate, MaxEnvironments: settings.functions.MaxEnvironments,
		Record: func(typeName string) bool { return slices.Contains(settings.app.Record, typeName) },
	})
	var taken *region.PortError
	if errors.As(err, &taken) {
		return nil, term.WithHint(err, "end that process, or choose other ports with --port (0 picks free ones)")
	}
	if err != nil {
		return nil, fmt.Errorf("start the region: %w", err)
	}
	if settings.debug != nil {
		settings.debug.region = r
	}
	started := &startedRegion{Region: r, info: regionInfo(r)}
	stopPrinting := func() {}
	if !settings.temporary {
		s.term.Note(r.MemoryLimits)
		events, end := r.Follow()
		stopPrinting = requests.Print(events, end, s.term.Print)
	}
	file := settings.app.RegionFile()
	started.close = func() error {
		stopPrinting()
		return errors.Join(removeOwn(file), r.Close())
	}
	if err := config.WriteRegion(file, started.info); err != nil {
		return nil, errors.Join(err, started.close())
	}
	s.done("write region.json")
	return started, nil
}

func regionInfo(r *region.Region) *config.Region {
	return &config.Region{
		Endpoint: r.Endpoint, Twitter: r.Twitter, PID: os.Getpid(), Account: r.Account, Region: r.Name,
		CABundle: r.CABundle, AccessKeyID: r.AccessKeyID, SecretAccessKey: r.SecretAccessKey,
	}
}

// superviseCommand is how this program is started as the supervisor of a
// region's functions: by the name it was started with, or by its file.
func superviseCommand() ([]string, error) {
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
