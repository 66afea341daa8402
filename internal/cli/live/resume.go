package live

import (
	"context"
	"fmt"
	"time"

	"github.com/seed-615d3599/roost/internal/deploy"
	"github.com/seed-615d3599/roost/internal/synth"
)

// unchanged returns the note of an earlier start if all that the app is made
// from is as it was then, else nil.
func (l *liveApp) unchanged() *standing {
	marker, ok := l.source.(synth.Marker)
	if !ok || l.debug != nil {
		return nil
	}
	if note := readStanding(l.app); note != nil && marker.Unchanged(note.Made) {
		return note
	}
	return nil
}

// settleTime is how long a start that resumed leaves the machine to the first
// requests, before it does what other starts do first.
const settleTime = time.Second

// resume serves a stage that stands already, tells what a deployment without
// changes does, and only then makes the assembly, which following edits needs
// and which shows what no mark can: that the app's program has come to another
// result all the same.
func (l *liveApp) resume(ctx context.Context, b begun) error {
	l.Done("look at the stacks")
	l.Term.Print(synth.Preparing)
	l.target.AnnounceStacks(len(b.results))
	for _, r := range b.results {
		deploy.Unchanged(l.Term.Print, r.Stack)
	}
	l.Term.Print("")
	for _, r := range b.results {
		l.Report().Result(r, nil)
	}
	if err := l.target.KeepOutputs(b.results, l.outputsFile); err != nil {
		return err
	}
	l.Done("write the outputs")
	printNext(l.Session, l.app, b.region.Info, b.standing.Open, b.standing.Signed)
	select {
	case <-ctx.Done():
		l.Term.Print("\nStopping")
		return nil
	case <-time.After(settleTime):
	}
	watcher, err := l.watch()
	if err != nil {
		return fmt.Errorf("watch the app's files: %w", err)
	}
	defer watcher.Close()
	l.tellEdit(ctx, l.catchUp(ctx, b.standing))
	return l.follow(ctx, watcher)
}

// catchUp makes the assembly of a stage that was resumed, and deploys it where it
// is not what the note says.
func (l *liveApp) catchUp(ctx context.Context, n *standing) error {
	l.quiet = true
	made, err := l.assemble(ctx)
	l.quiet = false
	if err != nil || digest(made) == n.Assembly {
		return err
	}
	return l.target.Deploy(ctx, made, l.outputsFile)
}
