package preview

import "github.com/seed-615d3599/roost/cfn"

// Change is one entry of a change set.
type Change struct {
	Type           string
	ResourceChange ResourceChange
}

// Nested is a nested stack that a deployment would make or update.
type Nested struct {
	Index      int            // of its change
	Properties map[string]any // as far as they are known
}

// Settled returns properties with a text in the place of each value that is not
// known, and whether all are.
func Settled(props map[string]any) (settled map[string]any, known bool) {
	known = true
	var settle func(value any) any
	settle = func(value any) any {
		switch v := value.(type) {
		case cfn.Unknown:
			known = false
			return cfn.KnownAfterApply
		case map[string]any:
			all := make(map[string]any, len(v))
			for name, item := range v {
				all[name] = settle(item)
			}
			return all
		case []any:
			all := make([]any, len(v))
			for i, item := range v {
				all[i] = settle(item)
			}
			return all
		}
		return value
	}
	settled, _ = settle(props).(map[string]any)
	return settled, known
}

// ResourceChange says what will happen to a resource.
type ResourceChange struct {
	PolicyAction       string `json:",omitempty"`
	Action             string // Add, Modify or Remove
	LogicalResourceID  string `json:"LogicalResourceId"`
	PhysicalResourceID string `json:"PhysicalResourceId,omitempty"`
	ResourceType       string
	ChangeSetID        string `json:"ChangeSetId,omitempty"` // of a nested stack
	Replacement        string `json:",omitempty"`            // True, False or Conditional
	Scope              []string
	Details            []ChangeDetail
	BeforeContext      string `json:",omitempty"` // JSON
	AfterContext       string `json:",omitempty"` // JSON
}

// ChangeDetail says which property changes.
type ChangeDetail struct {
	Target       ChangeTarget
	Evaluation   string // Static or Dynamic
	ChangeSource string
}

// ChangeTarget names the property and its values.
type ChangeTarget struct {
	Attribute           string
	Name                string `json:",omitempty"`
	Path                string `json:",omitempty"`
	RequiresRecreation  string // Always, Never or Conditionally
	BeforeValue         string `json:",omitempty"`
	AfterValue          string `json:",omitempty"`
	AttributeChangeType string `json:",omitempty"`
}
