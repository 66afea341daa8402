package stacks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/resources"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// The kinds under which things are stored.
const (
	kindStack     = "cfn-stack"     // by stack id
	kindTemplate  = "cfn-template"  // by stack id, "/" and revision
	kindResource  = "cfn-resource"  // by stack id, "/" and logical id
	kindEvent     = "cfn-event"     // by stack id, "/" and time
	kindChangeSet = "cfn-changeset" // by change set id
	kindExport    = "cfn-export"    // by name
)

// stack is a stack as it is stored.
type stack struct {
	ID          string // ARN
	Name        string
	Status      string
	Reason      string
	Description string
	Created     time.Time
	Updated     time.Time
	Deleted     time.Time
	Revision    int // of the template that the stack has, or goes to
	Before      int // of the template to go back to, while an update is under way
	Tried       int // the highest revision ever begun

	Parameters       []parameter
	ParametersBefore []parameter
	Tags             map[string]string
	TagsBefore       map[string]string
	Capabilities     []string
	NotificationARNs []string
	RoleARN          string
	OwnerARN         string // who began the operation; its rights make the resources
	OnFailure        string // of a create: ROLLBACK, DELETE or DO_NOTHING
	DisableRollback  bool
	Protected        bool // termination protection
	TimeoutMinutes   int
	Deadline         time.Time
	ParentID         string
	RootID           string
	ChangeSetID      string
	Outputs          []output
	OutputsBefore    []output
	Imports          []string // names of exports that it uses
	Retain           []string // logical ids that a DeleteStack leaves
	Token            string   // ClientRequestToken of the operation
}

// parameter is a parameter's value as it was given.
type parameter struct {
	Key      string
	Value    string
	Resolved string // of SSM types
	NoEcho   bool
}

type output struct {
	Key         string
	Value       string
	Description string
	Export      string
}

// resource is what the engine knows of one resource of a stack.
type resource struct {
	StackID   string
	LogicalID string
	Type      string
	Status    string
	Reason    string
	Updated   time.Time
	DependsOn []string // logical ids that must outlive it

	State     resources.State
	Exists    bool     // State says what is there
	Secrets   []string // paths of properties that came from secrets
	Recorded  bool     // kept as a record, made by nobody
	Retain    bool     // DeletionPolicy
	RetainOld bool     // UpdateReplacePolicy
	Metadata  string   `json:",omitempty"` // JSON
	Token     string
	Progress  map[string]any `json:",omitempty"`

	// Of the operation that last changed it, which Op names by the revision it
	// leads to.
	Op      int
	Touched string      // "created", "updated" or "replaced"
	Before  *generation // what to go back to
	// Old is what is no longer wanted and goes when the operation is cleaned up.
	Old []generation `json:",omitempty"`
}

// generation is one physical resource behind a logical id.
type generation struct {
	Type      string
	State     resources.State
	Secrets   []string
	Recorded  bool
	Retain    bool
	DependsOn []string
}

// touched says what the operation under way did to a resource, "" for nothing.
func (r *resource) touched(st *stack) string {
	if r.Op != st.Revision {
		return ""
	}
	return r.Touched
}

func (r *resource) touch(st *stack, token, how string) {
	r.Op, r.Token, r.Touched, r.Progress = st.Revision, token, how, nil
	if how == "created" {
		r.Before = nil
	}
}

func (r *resource) generation() *generation {
	return &generation{Type: r.Type, State: r.State, Secrets: r.Secrets, Recorded: r.Recorded, Retain: r.RetainOld, DependsOn: r.DependsOn}
}

// event is one entry of a stack's history.
type event struct {
	ID         string
	StackID    string
	StackName  string
	LogicalID  string
	PhysicalID string
	Type       string
	Status     string
	Reason     string
	Properties string // JSON, secrets masked
	Token      string
	Time       time.Time
}

const stackType = "AWS::CloudFormation::Stack"

// active reports whether something is under way.
func active(status string) bool {
	return strings.HasSuffix(status, "_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS"
}

// find returns a stack by name or id within tx. Deleted stacks are found by id
// only.
func find(tx *store.Tx, nameOrID string) (*stack, error) {
	if strings.HasPrefix(nameOrID, "arn:") {
		st := &stack{}
		found, err := tx.Get(kindStack, nameOrID, st)
		if err == nil && !found {
			return nil, noStack(nameOrID)
		}
		return st, err
	}
	all, err := store.All[*stack](tx, kindStack, "")
	if err != nil {
		return nil, err
	}
	for _, st := range all {
		if st.Name == nameOrID && st.Status != "DELETE_COMPLETE" {
			return st, nil
		}
	}
	return nil, noStack(nameOrID)
}

func noStack(name string) *wire.Error {
	return wire.Errorf(400, "ValidationError", "Stack with id %s does not exist", name)
}

func (s *Stacks) find(ctx context.Context, nameOrID string) (st *stack, err error) {
	err = s.config.DB.View(ctx, func(tx *store.Tx) error {
		st, err = find(tx, nameOrID)
		return err
	})
	return st, err
}

func stackResources(tx *store.Tx, stackID string) ([]*resource, error) {
	all, err := store.All[*resource](tx, kindResource, stackID+"/")
	if err == nil {
		sort.SliceStable(all, func(i, j int) bool { return all[i].LogicalID < all[j].LogicalID })
	}
	return all, err
}

func (s *Stacks) resources(ctx context.Context, stackID string) (all []*resource, err error) {
	err = s.config.DB.View(ctx, func(tx *store.Tx) error {
		all, err = stackResources(tx, stackID)
		return err
	})
	return all, err
}

func putResource(tx *store.Tx, r *resource) error {
	return tx.Put(kindResource, r.StackID+"/"+r.LogicalID, r)
}

func templateKey(stackID string, revision int) string {
	return fmt.Sprintf("%s/%06d", stackID, revision)
}

// errStale is returned when a stack went on without the one who asks.
var errStale = errors.New("the stack has changed meanwhile")

// update changes a stack's record; f may refuse.
func (s *Stacks) update(ctx context.Context, id string, f func(*store.Tx, *stack) error) (*stack, error) {
	var st *stack
	err := s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		if st, err = find(tx, id); err != nil {
			return err
		}
		if err := f(tx, st); err != nil {
			return err
		}
		tx.OnCommit(s.signal)
		return tx.Put(kindStack, st.ID, st)
	})
	return st, err
}

// setStatus gives a stack a status and writes the event.
func (s *Stacks) setStatus(tx *store.Tx, st *stack, status, reason string) error {
	st.Status, st.Reason = status, reason
	return s.putEvent(tx, st, event{LogicalID: st.Name, PhysicalID: st.ID, Type: stackType, Status: status, Reason: reason})
}

// putEvent writes one entry of a stack's history.
func (s *Stacks) putEvent(tx *store.Tx, st *stack, e event) error {
	e.StackID, e.StackName, e.Time, e.Token = st.ID, st.Name, s.now(), st.Token
	id, err := s.uuid()
	if err != nil {
		return err
	}
	e.ID = id
	if e.Type != stackType || e.PhysicalID != st.ID {
		e.ID = e.LogicalID + "-" + e.Status + "-" + e.Time.Format("2006-01-02T15:04:05.000Z")
	}
	return tx.Put(kindEvent, st.ID+"/"+e.Time.Format("20060102150405.000000"), e)
}

// removed forgets what belongs to a stack that is gone, but for its record and
// events.
func removed(tx *store.Tx, st *stack) error {
	if err := tx.DeletePrefix(kindResource, st.ID+"/"); err != nil {
		return err
	}
	exports, err := store.All[export](tx, kindExport, "")
	if err != nil {
		return err
	}
	for _, e := range exports {
		if e.StackID == st.ID {
			if err := tx.Delete(kindExport, e.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// export is a value that other stacks may import.
type export struct {
	Name    string
	Value   string
	StackID string
}

// importers returns the names of the stacks that use an export.
func importers(tx *store.Tx, name string) ([]string, error) {
	all, err := store.All[*stack](tx, kindStack, "")
	var names []string
	for _, st := range all {
		if st.Status != "DELETE_COMPLETE" && slices.Contains(st.Imports, name) {
			names = append(names, st.Name)
		}
	}
	return names, err
}
