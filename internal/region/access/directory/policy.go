package directory

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/access/managed"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// ManagedPolicy is a managed policy with its versions.
type ManagedPolicy struct {
	Name        string
	Path        string
	ID          string
	ARN         string
	Description string `json:",omitempty"`
	Created     wire.Time
	Updated     wire.Time
	Tags        map[string]string `json:",omitempty"`
	Versions    []PolicyVersion   // oldest first
	Default     string            // "v1"
	NextVersion int

	policy *iam.Policy // the default version, compiled
}

// PolicyVersion is a version of a managed policy.
type PolicyVersion struct {
	ID       string
	Document string
	Created  wire.Time
}

// Version returns a version by its id.
func (p *ManagedPolicy) Version(id string) (PolicyVersion, error) {
	at := slices.IndexFunc(p.Versions, func(v PolicyVersion) bool { return v.ID == id })
	if at < 0 {
		return PolicyVersion{}, NotFound("Policy %s version %s does not exist or is not attachable.", p.ARN, id)
	}
	return p.Versions[at], nil
}

// Document returns the default version's document.
func (p *ManagedPolicy) Document() string {
	v, _ := p.Version(p.Default)
	return v.Document
}

// Policy returns the default version, compiled.
func (p *ManagedPolicy) Policy() *iam.Policy { return p.policy }

func (p *ManagedPolicy) compile() error {
	policy, err := iam.Parse([]byte(p.Document()))
	if err != nil {
		return malformed(err)
	}
	p.policy = policy
	return nil
}

// Managed finds a managed policy, the account's own or AWS's, as the request
// path sees it.
func (d *Directory) Managed(arn string) (*ManagedPolicy, error) {
	if p, ok := d.policies.get(arn); ok {
		return p, nil
	}
	if !strings.HasPrefix(arn, managed.ARN) {
		return nil, NotFound("Policy %s does not exist or is not attachable.", arn)
	}
	known, ok := managed.Find(arn)
	if !ok {
		return nil, NotFound("Policy %s does not exist or is not attachable: roost keeps only some of AWS's managed policies; use a policy of your own with the same statements.", arn)
	}
	p := &ManagedPolicy{
		Name: known.Name, Path: known.Path, ID: known.ID, ARN: arn,
		Versions: []PolicyVersion{{ID: "v1", Document: known.Document}}, Default: "v1",
	}
	if err := p.compile(); err != nil {
		return nil, err
	}
	d.policies.set(arn, p) // AWS's policies do not change, so this is only a memory
	return p, nil
}

// ReadPolicy reads a managed policy within ctx.
func (d *Directory) ReadPolicy(ctx context.Context, arn string) (p *ManagedPolicy, err error) {
	if strings.HasPrefix(arn, managed.ARN) {
		return d.Managed(arn)
	}
	err = d.config.DB.View(ctx, func(tx *store.Tx) error {
		p, err = getPolicy(tx, arn)
		return err
	})
	return p, err
}

// attachable reports whether there is a managed policy, as the transaction of
// ctx sees it: a stack makes a policy and attaches it in one.
func (d *Directory) attachable(ctx context.Context, arn string) error {
	if strings.HasPrefix(arn, managed.ARN) {
		_, err := d.Managed(arn)
		return err
	}
	_, err := d.ReadPolicy(ctx, arn)
	if wire.Code(err) == "NoSuchEntity" {
		return NotFound("Policy %s does not exist or is not attachable.", arn)
	}
	return err
}

func getPolicy(tx *store.Tx, arn string) (*ManagedPolicy, error) {
	p := &ManagedPolicy{}
	found, err := tx.Get(kindPolicy, arn, p)
	if err == nil && !found {
		err = NotFound("Policy %s was not found.", arn)
	}
	return p, err
}

// CreatePolicy stores a new managed policy.
func (d *Directory) CreatePolicy(ctx context.Context, p *ManagedPolicy, document string) error {
	if err := checkMember("policyName", p.Name, maxName); err != nil {
		return err
	}
	var err error
	if p.Path, err = CleanPath(p.Path); err != nil {
		return err
	}
	if p.ID, err = d.uniqueID("ANPA"); err != nil {
		return err
	}
	p.ARN = d.ARN("policy", p.Path, p.Name)
	p.Created = d.now()
	p.Updated = p.Created
	p.Versions = []PolicyVersion{{ID: "v1", Document: document, Created: p.Created}}
	p.Default, p.NextVersion = "v1", 2
	return d.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		items, err := tx.List(kindPolicy, "")
		if err != nil {
			return err
		}
		same := func(item store.Item) bool {
			return strings.EqualFold(item.Key[strings.LastIndexByte(item.Key, '/')+1:], p.Name)
		}
		if slices.ContainsFunc(items, same) {
			return alreadyExists("A policy called %s already exists. Duplicate names are not allowed.", p.Name)
		}
		return d.savePolicy(tx, p)
	})
}

func (d *Directory) savePolicy(tx *store.Tx, p *ManagedPolicy) error {
	if err := CheckTags("Policy", p.Tags); err != nil {
		return err
	}
	for _, v := range p.Versions {
		if err := checkDocument("policyDocument", v.Document); err != nil {
			return err
		}
		if policySize(v.Document) > maxManagedSize {
			return exceeded("Cannot exceed quota for PolicySize: %d", maxManagedSize)
		}
	}
	if err := p.compile(); err != nil {
		return err
	}
	return put(d, tx, &d.policies, p.ARN, p)
}

// ChangePolicy reads a managed policy, lets f alter the copy, and stores it.
func (d *Directory) ChangePolicy(ctx context.Context, arn string, f func(*ManagedPolicy) error) error {
	if strings.HasPrefix(arn, managed.ARN) {
		return wire.Errorf(403, "AccessDenied", "AWS's managed policy %s cannot be changed.", arn)
	}
	return d.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		p, err := getPolicy(tx, arn)
		if err != nil {
			return err
		}
		if err := f(p); err != nil {
			return err
		}
		return d.savePolicy(tx, p)
	})
}

// AddVersion adds a version to a managed policy.
func (d *Directory) AddVersion(ctx context.Context, arn, document string, asDefault bool) (v PolicyVersion, err error) {
	if _, err := iam.Parse([]byte(document)); err != nil { // also of a version that is not the default
		return v, malformed(err)
	}
	err = d.ChangePolicy(ctx, arn, func(p *ManagedPolicy) error {
		if len(p.Versions) >= maxVersions {
			return exceeded("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
		}
		v = PolicyVersion{ID: "v" + strconv.Itoa(p.NextVersion), Document: document, Created: d.now()}
		p.NextVersion++
		p.Versions = append(p.Versions, v)
		p.Updated = v.Created
		if asDefault {
			p.Default = v.ID
		}
		return nil
	})
	return v, err
}

// DeleteVersion removes a version that is not the default.
func (d *Directory) DeleteVersion(ctx context.Context, arn, id string) error {
	return d.ChangePolicy(ctx, arn, func(p *ManagedPolicy) error {
		if _, err := p.Version(id); err != nil {
			return err
		}
		if id == p.Default {
			return conflict("Cannot delete the default version of a policy.")
		}
		p.Versions = slices.DeleteFunc(p.Versions, func(v PolicyVersion) bool { return v.ID == id })
		return nil
	})
}

// SetDefaultVersion makes a version the one that counts.
func (d *Directory) SetDefaultVersion(ctx context.Context, arn, id string) error {
	return d.ChangePolicy(ctx, arn, func(p *ManagedPolicy) error {
		if _, err := p.Version(id); err != nil {
			return err
		}
		p.Default, p.Updated = id, d.now()
		return nil
	})
}

// TagPolicy sets some tags and takes others away.
func (d *Directory) TagPolicy(ctx context.Context, arn string, set []Tag, unset []string) error {
	return d.ChangePolicy(ctx, arn, func(p *ManagedPolicy) (err error) {
		p.Tags, err = retag(p.Tags, set, unset)
		return err
	})
}

// DeletePolicy removes a managed policy that nobody has any more.
func (d *Directory) DeletePolicy(ctx context.Context, arn string) error {
	if strings.HasPrefix(arn, managed.ARN) {
		return wire.Errorf(403, "AccessDenied", "AWS's managed policy %s cannot be deleted.", arn)
	}
	return d.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		p, err := getPolicy(tx, arn)
		if err != nil {
			return err
		}
		attached, bounded, err := holders(tx, arn)
		if err != nil {
			return err
		}
		if len(attached)+len(bounded) > 0 {
			return conflict("Cannot delete a policy attached to entities.")
		}
		if len(p.Versions) > 1 {
			return conflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		return remove(d, tx, &d.policies, arn)
	})
}

// OwnPolicies returns the account's managed policies.
func (d *Directory) OwnPolicies(ctx context.Context) (list []*ManagedPolicy, err error) {
	err = d.config.DB.View(ctx, func(tx *store.Tx) error {
		list, err = store.All[*ManagedPolicy](tx, kindPolicy, "")
		return err
	})
	return list, err
}

// AWSPolicies returns the AWS managed policies that are kept.
func (d *Directory) AWSPolicies() ([]*ManagedPolicy, error) {
	var list []*ManagedPolicy
	for _, arn := range managed.All() {
		p, err := d.Managed(arn)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// Holders returns who has a managed policy attached, and who has it as the
// permissions boundary.
func (d *Directory) Holders(ctx context.Context, arn string) (attached, bounded []*Identity, err error) {
	err = d.config.DB.View(ctx, func(tx *store.Tx) error {
		attached, bounded, err = holders(tx, arn)
		return err
	})
	return attached, bounded, err
}

func holders(tx *store.Tx, arn string) (attached, bounded []*Identity, err error) {
	for _, kind := range []Kind{User, Role, Group} {
		all, err := store.All[*Identity](tx, kind.stored(), "")
		if err != nil {
			return nil, nil, err
		}
		for _, x := range all {
			if slices.Contains(x.Attached, arn) {
				attached = append(attached, x)
			}
			if x.Boundary == arn {
				bounded = append(bounded, x)
			}
		}
	}
	return attached, bounded, nil
}
