package params

import (
	"context"
	"fmt"
	"regexp"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Tag is a tag of a parameter.
type Tag struct {
	Key   string `required:"true"`
	Value string
}

// PutInput makes a parameter, or with Overwrite its next version.
type PutInput struct {
	Name           string `required:"true"`
	Value          string
	Description    string
	Type           string
	KeyID          string `json:"KeyId"`
	Overwrite      bool
	AllowedPattern string
	Tags           []Tag
	Tier           string
	Policies       string
	DataType       string
	keys           decided
}

// PutOutput says which version was made.
type PutOutput struct {
	Version int64
	Tier    string
}

func (p *Params) put(ctx context.Context, c *wire.Call, in *PutInput) (*PutOutput, error) {
	name, selector := p.parse(in.Name)
	if selector != "" {
		return nil, checkName(in.Name) // a name has no colon
	}
	in.Name = name
	if err := in.check(); err != nil {
		return nil, err
	}
	out := &PutOutput{}
	return out, p.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		x, err := p.find(tx, in.Name)
		if err != nil {
			return err
		}
		if x, err = in.next(x); err != nil {
			return err
		}
		if c.Caller != nil {
			x.ModifiedBy = c.Caller.ARN
		}
		x.Modified, x.Value = p.now(), in.Value
		if x.Type == typeSecure {
			if err := p.mayUse(in.keys, x.Name, x.version); err != nil {
				return err
			}
			if x.Value, err = p.box.Seal(in.Value, p.context(x.Name, x.Number)); err != nil {
				return err
			}
		}
		out.Version, out.Tier = x.Number, x.Tier
		if err := p.retire(tx, x); err != nil {
			return err
		}
		return tx.Put(kindParameter, x.Name, x)
	})
}

func (in *PutInput) check() error {
	if err := checkName(in.Name); err != nil {
		return err
	}
	if in.Value == "" {
		return invalid("1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	if err := in.checkEnums(); err != nil {
		return err
	}
	limit := standard
	if in.Tier == "Advanced" || in.Tier == "Intelligent-Tiering" {
		limit = advanced
	}
	switch {
	case len(in.Value) > advanced || len(in.Value) > limit && in.Tier == "Advanced":
		return invalid("Advanced tier parameters support a maximum parameter value of %d characters.", advanced)
	case len(in.Value) > limit:
		return invalid("Standard tier parameters support a maximum parameter value of %d characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html", standard)
	case len(in.Tags) > 0 && in.Overwrite:
		return invalid("Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	}
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	return in.checkPattern()
}

func (in *PutInput) checkEnums() error {
	switch in.Type {
	case "", typeString, typeList, typeSecure:
	default:
		return enum(in.Type, "type", "SecureString, StringList, String")
	}
	switch in.Tier {
	case "", "Standard", "Advanced", "Intelligent-Tiering":
	default:
		return enum(in.Tier, "tier", "Standard, Intelligent-Tiering, Advanced")
	}
	switch {
	case in.DataType != "" && in.DataType != "text":
		return invalid("roost does not support the data type %s of parameters: use text", in.DataType)
	case in.Policies != "" && in.Policies != "[]":
		return invalid("roost does not support Policies of parameters")
	case in.KeyID != "" && in.Type != "" && in.Type != typeSecure:
		return invalid("KeyId can only be specified when the parameter type is SecureString")
	}
	return nil
}

func (in *PutInput) checkPattern() error {
	if in.AllowedPattern == "" {
		return nil
	}
	pattern, err := regexp.Compile("^(?:" + in.AllowedPattern + ")$")
	if err != nil {
		return wire.Errorf(400, "InvalidAllowedPatternException", "The request doesn't meet the regular expression requirement: %v", err)
	}
	if !pattern.MatchString(in.Value) {
		return wire.Errorf(400, "ParameterPatternMismatchException", "Parameter value, cannot be validated against allowedPattern: %s", in.AllowedPattern)
	}
	return nil
}

// next makes the version that follows on x, which is nil for a new parameter.
// What the input leaves out stays as it was.
func (in *PutInput) next(x *parameter) (*parameter, error) {
	made := &parameter{Name: in.Name, Tags: map[string]string{}, version: version{
		Number: 1, Type: in.Type, KeyID: in.KeyID, Description: in.Description, AllowedPattern: in.AllowedPattern, Tier: in.Tier, DataType: "text",
	}}
	for _, tag := range in.Tags {
		made.Tags[tag.Key] = tag.Value
	}
	if x == nil && in.Type == "" {
		return nil, invalid("A parameter type is required when you create a parameter.")
	}
	if x != nil {
		if !in.Overwrite {
			return nil, wire.Errorf(400, "ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
		}
		if err := made.follow(x); err != nil {
			return nil, err
		}
	}
	if made.Tier == "" || made.Tier == "Intelligent-Tiering" {
		made.Tier = "Standard"
		if len(in.Value) > standard {
			made.Tier = "Advanced"
		}
	}
	if made.Type == typeSecure && made.KeyID == "" {
		made.KeyID = defaultKey
	}
	return made, nil
}

// follow takes over what a new version leaves out.
func (x *parameter) follow(before *parameter) error {
	x.Number, x.Tags = before.Number+1, before.Tags
	if x.Type == "" {
		x.Type = before.Type
	}
	if x.Type != before.Type {
		return wire.Errorf(400, "HierarchyTypeMismatchException", "You can't change a parameter from %s to %s, but you can delete and recreate it.", before.Type, x.Type)
	}
	if x.Tier == "" && before.Tier == "Advanced" {
		x.Tier = before.Tier
	}
	if x.Tier == "Standard" && before.Tier == "Advanced" {
		return invalid("This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard parameter.")
	}
	if x.KeyID == "" {
		x.KeyID = before.KeyID
	}
	if x.Description == "" {
		x.Description = before.Description
	}
	return nil
}

// retire puts the version that was the latest aside, and removes the oldest when
// there are too many, unless a label holds it.
func (p *Params) retire(tx *store.Tx, next *parameter) error {
	before, err := p.find(tx, next.Name)
	if err != nil || before == nil {
		return err
	}
	if err := tx.Put(kindVersion, versionKey(before.Name, before.Number), before.version); err != nil {
		return err
	}
	oldest := next.Number - maxVersions
	if oldest < 1 {
		return nil
	}
	var v version
	if _, err := tx.Get(kindVersion, versionKey(next.Name, oldest), &v); err != nil {
		return err
	}
	if len(v.Labels) > 0 {
		return wire.Errorf(400, "ParameterMaxVersionLimitExceeded", "You attempted to create a new version of %s by calling the PutParameter API with the overwrite flag. Version %d, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.", next.Name, oldest)
	}
	return tx.Delete(kindVersion, versionKey(next.Name, oldest))
}

// NameInput names one parameter.
type NameInput struct {
	Name string `required:"true"`
}

// NamesInput names up to ten parameters.
type NamesInput struct {
	Names []string `required:"true"`
}

// Empty is the output of operations that answer nothing.
type Empty struct{}

func (p *Params) delete(ctx context.Context, _ *wire.Call, in *NameInput) (*Empty, error) {
	return &Empty{}, p.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		x, _, err := p.resolve(tx, in.Name)
		if err != nil {
			return err
		}
		return remove(tx, x)
	})
}

func remove(tx *store.Tx, x *parameter) error {
	if err := tx.DeletePrefix(kindVersion, x.Name+"\x00"); err != nil {
		return err
	}
	return tx.Delete(kindParameter, x.Name)
}

// DeleteSeveralOutput says what became of each name.
type DeleteSeveralOutput struct {
	DeletedParameters []string
	InvalidParameters []string
}

func (p *Params) deleteSeveral(ctx context.Context, _ *wire.Call, in *NamesInput) (*DeleteSeveralOutput, error) {
	if err := checkNames(in.Names); err != nil {
		return nil, err
	}
	out := &DeleteSeveralOutput{DeletedParameters: []string{}, InvalidParameters: []string{}}
	return out, p.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		for _, name := range in.Names {
			x, _, err := p.resolve(tx, name)
			if wire.Code(err) == "ParameterNotFound" {
				out.InvalidParameters = append(out.InvalidParameters, name)
				continue
			}
			if err == nil {
				err = remove(tx, x)
			}
			if err != nil {
				return err
			}
			out.DeletedParameters = append(out.DeletedParameters, name)
		}
		return nil
	})
}

// maxNames is how many names a call may have.
const maxNames = 10

func checkNames(names []string) error {
	if len(names) > maxNames {
		return invalid("1 validation error detected: Value '[%d names]' at 'names' failed to satisfy constraint: Member must have length less than or equal to %d", len(names), maxNames)
	}
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			return invalid("%s", fmt.Sprintf("Duplicate parameter name: %s", name))
		}
		seen[name] = true
	}
	return nil
}
