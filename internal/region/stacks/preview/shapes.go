package preview

// Change is one entry of a change set.
type Change struct {
	Type           string
	ResourceChange ResourceChange
}

// ResourceChange says what will happen to a resource.
type ResourceChange struct {
	PolicyAction       string `json:",omitempty"`
	Action             string // Add, Modify or Remove
	LogicalResourceID  string `json:"LogicalResourceId"`
	PhysicalResourceID string `json:"PhysicalResourceId,omitempty"`
	ResourceType       string
	Replacement        string `json:",omitempty"` // True, False or Conditional
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
