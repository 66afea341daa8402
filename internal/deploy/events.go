package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// maxWait is how long at most to wait between two looks, and growth by how much
// waiting lengthens. An endpoint on this machine answers in microseconds, so
// that looking there often costs less than the time that it saves.
const (
	maxWait      = 5 * time.Second
	maxQuickWait = 100 * time.Millisecond
)

// backoff returns a function that waits a little longer each time.
func (d *Deployer) backoff() func(ctx context.Context) error {
	next, limit := d.cfg.Quick, maxQuickWait
	if next <= 0 {
		next, limit = time.Second, maxWait
	}
	return func(ctx context.Context) error {
		now := next
		next = min(next*3/2, limit)
		return d.cfg.Sleep(ctx, now)
	}
}

// StackEvent is one event of a stack, for programs.
type StackEvent struct {
	Stack  string `json:"stack"`
	Status string `json:"status"`   // CREATE_COMPLETE
	Type   string `json:"resource"` // AWS::IAM::Role
	ID     string `json:"id"`       // logical id
	Reason string `json:"reason,omitempty"`
}

// A follower prints the events of one stack from a moment on.
type follower struct {
	d    *Deployer
	name string // as printed
	id   string // by which a stack is found even after its deletion
	last string // id of the newest event that was seen
	// cause is the reason of the first failure: later ones follow from it.
	cause string
}

// follow begins after the events that a stack has now.
func (d *Deployer) follow(ctx context.Context, name, id string) (*follower, error) {
	f := &follower{d: d, name: name, id: id}
	out, err := d.cfn.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: &id})
	if err != nil && !notThere(err) {
		return nil, describeError("read the events of "+name, err)
	}
	if err == nil && len(out.StackEvents) > 0 {
		f.last = aws.ToString(out.StackEvents[0].EventId)
	}
	return f, nil
}

// untilDone prints events until the stack itself comes to an end. A failure is
// returned as an error that holds its first cause.
func (f *follower) untilDone(ctx context.Context) error {
	wait := f.d.backoff()
	for {
		events, err := f.news(ctx)
		if err != nil {
			return err
		}
		for _, e := range events {
			f.printEvent(e)
			if done, err := f.end(e); done {
				return err
			}
		}
		if len(events) > 0 {
			wait = f.d.backoff()
		}
		if err := wait(ctx); err != nil {
			return err
		}
	}
}

// news returns the events that came since the last look, oldest first.
func (f *follower) news(ctx context.Context) ([]types.StackEvent, error) {
	var events []types.StackEvent
	pages := cloudformation.NewDescribeStackEventsPaginator(f.d.cfn, &cloudformation.DescribeStackEventsInput{StackName: &f.id})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, describeError("read the events of "+f.name, err)
		}
		i := slices.IndexFunc(page.StackEvents, func(e types.StackEvent) bool { return aws.ToString(e.EventId) == f.last })
		if i >= 0 {
			events = append(events, page.StackEvents[:i]...)
			break
		}
		events = append(events, page.StackEvents...)
	}
	slices.Reverse(events)
	if len(events) > 0 {
		f.last = aws.ToString(events[len(events)-1].EventId)
	}
	return events, nil
}

// printEvent prints a line, with the reason where it is the first failure.
func (f *follower) printEvent(e types.StackEvent) {
	line := fmt.Sprintf("%s | %s | %s | %s", f.name, e.ResourceStatus, aws.ToString(e.ResourceType), aws.ToString(e.LogicalResourceId))
	reason := aws.ToString(e.ResourceStatusReason)
	failed := strings.HasSuffix(string(e.ResourceStatus), "_FAILED") || strings.Contains(string(e.ResourceStatus), "ROLLBACK_IN_PROGRESS")
	if failed && f.cause == "" && reason != "" && !strings.HasPrefix(reason, "Resource creation cancelled") {
		f.cause = fmt.Sprintf("%s (%s): %s", aws.ToString(e.LogicalResourceId), aws.ToString(e.ResourceType), reason)
		line += " " + reason
	}
	if f.d.cfg.Event != nil {
		f.d.event(StackEvent{Stack: f.name, Status: string(e.ResourceStatus), Type: aws.ToString(e.ResourceType),
			ID: aws.ToString(e.LogicalResourceId), Reason: reason})
		return
	}
	// CloudFormation tells twice that a resource is being created: before it
	// calls the service, and after. One line is enough for a person.
	if reason != "Resource creation Initiated" {
		f.d.print("%s", line)
	}
}

// end reports whether an event is the stack's last one, and how it ended.
func (f *follower) end(e types.StackEvent) (done bool, err error) {
	status := string(e.ResourceStatus)
	if aws.ToString(e.PhysicalResourceId) != f.id || strings.HasSuffix(status, "_IN_PROGRESS") {
		return false, nil
	}
	switch types.StackStatus(status) {
	case types.StackStatusCreateComplete, types.StackStatusUpdateComplete, types.StackStatusDeleteComplete,
		types.StackStatusImportComplete:
		return true, nil
	}
	if f.cause != "" {
		return true, errors.New(f.cause)
	}
	return true, fmt.Errorf("the stack ended as %s", status)
}
