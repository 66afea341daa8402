// Package records is what CloudFormation of the embedded region keeps: stacks,
// their resources, templates, events and exports, and how they lie in the state
// file. Change sets have a room of their own. It decides nothing; the engine does.
//
//	st, err := records.Find(tx, "my-stack")          // or an ARN
//	all, err := records.ResourcesOf(tx, st.ID)
package records

import (
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/resources"
)

// StackType is the resource type of stacks.
const StackType = "AWS::CloudFormation::Stack"

// Stack is a stack as it is stored.
type Stack struct {
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
	// First is the revision with which the stack left its last stable state. An
	// update after one that failed and was left so goes on from there, and a
	// rollback undoes both.
	First int

	Kept
	Earlier Kept // the same, of the template to go back to

	Capabilities    []string
	RoleARN         string // with whose rights resources are made
	OwnerARN        string // who began the operation; without a RoleARN its rights make the resources
	OnFailure       string // of a create: ROLLBACK, DELETE or DO_NOTHING
	DisableRollback bool
	NewRetained     bool // RetainExceptOnCreate: a rollback removes what it made, whatever its policy
	Protected       bool // termination protection
	TimeoutMinutes  int
	Deadline        time.Time
	ChangeSetID     string
	Retain          []string // logical ids that a DeleteStack leaves
	Force           bool     // DeletionMode FORCE_DELETE_STACK
	Token           string   // ClientRequestToken of the operation

	Deployment *DeploymentConfig // as given
	ParentID   string
	RootID     string
	Depth      int // how many stacks it is nested in
	Touched    int // by the operation that was begun with it, of resources of its own and of nested stacks
	// Held is set while a parent's operation is under way: the stack does not
	// clean up before its parent does, so that it can still go back.
	Held bool
}

// DeploymentConfig is how an operation is to be carried out. Only what happens
// anyway can be asked for, and not to roll back.
type DeploymentConfig struct {
	Mode            string `json:",omitempty"`
	DisableRollback *bool  `json:",omitempty"`
}

// NoRollback reports whether a failed operation is to be left as it is.
func (d *DeploymentConfig) NoRollback() bool {
	return d != nil && d.DisableRollback != nil && *d.DisableRollback
}

// Kept is what a stack has besides its template, and gets back with it.
type Kept struct {
	Parameters       []Parameter
	Tags             map[string]string
	NotificationARNs []string
	Outputs          []Output
	Imports          []string // names of the exports that it uses
}

// Parameter is a parameter's value as it was given.
type Parameter struct {
	Key      string
	Value    string
	Resolved string // of SSM types
	NoEcho   bool
}

// Output is one output of a stack.
type Output struct {
	Key         string
	Value       string
	Description string
	Export      string // the name it is exported under, or ""
}

// Export is a value that other stacks may import.
type Export struct {
	Name    string
	Value   string
	StackID string
}

// Resource is what the engine knows of one resource of a stack.
type Resource struct {
	StackID   string
	LogicalID string
	Status    string
	Reason    string
	Updated   time.Time
	Exists    bool // State says what is there

	Generation

	Token    string
	Progress map[string]any `json:",omitempty"`

	// Of the operation that last changed it. Op is the revision it leads to.
	Op       int
	Touched  Touch       // what became of it since Stack.First
	Before   *Generation `json:",omitempty"` // what to go back to
	Dirty    bool        // Before was updated in place before it was replaced
	Restored bool        // a rollback has brought Before back
	Removing string      // physical id of what is being removed under Token
	// Old is what is no longer wanted and goes when the operation is cleaned up.
	Old []Generation `json:",omitempty"`
}

// Touch says what operations did to a resource.
type Touch string

// What operations do to a resource.
const (
	Created  Touch = "created"
	Updated  Touch = "updated"
	Replaced Touch = "replaced"
	Adjusted Touch = "adjusted" // only what the template says about it changed
)

// Generation is one physical resource behind a logical id, with what its
// template said of it.
type Generation struct {
	Type      string
	State     resources.State
	Secrets   []string `json:",omitempty"` // paths of properties that came from secrets
	Recorded  bool     `json:",omitempty"` // kept as a record, made by nobody
	DependsOn []string `json:",omitempty"` // logical ids that must outlive it
	Metadata  string   `json:",omitempty"` // JSON
	Deletion  string   `json:",omitempty"` // DeletionPolicy
	Replace   string   `json:",omitempty"` // UpdateReplacePolicy
}

// TouchedSince reports whether an operation changed the resource since its
// stack was stable.
func (r *Resource) TouchedSince(st *Stack) bool { return r.Op != 0 && r.Op >= st.First }

// Touch notes that the operation under way changes the resource, and keeps
// what it was when the stack was stable.
func (r *Resource) Touch(st *Stack, token string, how Touch) {
	before := r.Generation
	switch {
	case !r.TouchedSince(st):
		r.Touched, r.Dirty, r.Before = how, false, nil
		if how != Created {
			r.Before = &before
		}
	case r.Touched == Created:
	case how == Replaced:
		r.Dirty = r.Dirty || r.Touched == Updated
		r.Touched = how
	case r.Touched == Adjusted:
		r.Touched = how
	}
	r.Op, r.Token, r.Progress, r.Restored = st.Revision, token, nil, false
}

// Event is one entry of a stack's history.
type Event struct {
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

// Active reports whether something is under way at a status.
func Active(status string) bool {
	return strings.HasSuffix(status, "_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS"
}

// Root is the id of the stack that is in no other: of itself, or of the one in which
// it is nested.
func (st *Stack) Root() string {
	if st.RootID != "" {
		return st.RootID
	}
	return st.ID
}

// Parked reports whether a nested stack waits for its parent to be done.
func (st *Stack) Parked() bool {
	return st.Held && st.Status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
}

// Updatable reports whether an update of the stack may begin.
func (st *Stack) Updatable() bool {
	switch st.Status {
	case "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED", "CREATE_FAILED":
		return true
	}
	return st.Parked()
}

// NameIn is the name in a stack's ARN.
func NameIn(id string) string {
	parts := strings.Split(id, "/")
	if len(parts) < 2 {
		return id
	}
	return parts[1]
}
