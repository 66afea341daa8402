package stacks

import (
	"context"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/stacks/limits"
	"github.com/seed-615d3599/roost/internal/region/stacks/records"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// OperationEventsInput is the input of DescribeEvents.
type OperationEventsInput struct {
	StackName     string
	ChangeSetName string
	OperationID   string `json:"OperationId"`
	Filters       struct{ FailedEvents bool }
	NextToken     string
}

// OperationEventsOutput is the output of DescribeEvents, newest first.
type OperationEventsOutput struct {
	OperationEvents []OperationEvent
	NextToken       string `json:",omitempty"`
}

// OperationEvent is an event as DescribeEvents tells it.
type OperationEvent struct {
	EventID              string `json:"EventId"`
	StackID              string `json:"StackId"`
	EventType            string
	LogicalResourceID    string `json:"LogicalResourceId"`
	PhysicalResourceID   string `json:"PhysicalResourceId,omitempty"`
	ResourceType         string
	Timestamp            wire.Time
	ResourceStatus       string
	ResourceStatusReason string `json:",omitempty"`
	ResourceProperties   string `json:",omitempty"`
	ClientRequestToken   string `json:",omitempty"`
}

// describeEvents tells the events of a stack. Change sets have none here: what
// is wrong with one is the error of CreateChangeSet.
func (s *Stacks) describeEvents(ctx context.Context, _ *wire.Call, in *OperationEventsInput) (*OperationEventsOutput, error) {
	out := &OperationEventsOutput{}
	switch {
	case in.OperationID != "":
		return nil, limits.Unsupported("OperationId", "name the stack")
	case in.ChangeSetName != "":
		_, err := s.findChangeSet(ctx, &ChangeSetInput{ChangeSetName: in.ChangeSetName, StackName: in.StackName})
		return out, err
	}
	st, err := s.engine.Find(ctx, in.StackName)
	if err != nil {
		return nil, err
	}
	err = s.config.DB.View(ctx, func(tx *store.Tx) error {
		events, next, err := records.Events(tx, st.ID, in.NextToken, perPage)
		for _, e := range events {
			if !in.Filters.FailedEvents || strings.HasSuffix(e.Status, "_FAILED") {
				out.OperationEvents = append(out.OperationEvents, operationEvent(e))
			}
		}
		out.NextToken = next
		return err
	})
	return out, err
}

func operationEvent(e records.Event) OperationEvent {
	return OperationEvent{
		EventID: e.ID, StackID: e.StackID, EventType: "STACK_EVENT", LogicalResourceID: e.LogicalID, PhysicalResourceID: e.PhysicalID,
		ResourceType: e.Type, Timestamp: wire.Time{Time: e.Time}, ResourceStatus: e.Status, ResourceStatusReason: e.Reason,
		ResourceProperties: e.Properties, ClientRequestToken: e.Token,
	}
}
