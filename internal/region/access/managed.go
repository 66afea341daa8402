package access

import (
	"context"
	"embed"
	"net/url"
	"strings"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// awsManaged holds the AWS managed policies that applications, CDK and its
// bootstrap refer to, one JSON document each, named as AWS names them. A "--"
// in a file's name stands for the "/" of a path.
//
//go:embed managed/*.json
var awsManaged embed.FS

// awsARN is what the ARN of an AWS managed policy begins with.
const awsARN = "arn:aws:iam::aws:policy/"

// managed finds a managed policy, the account's own or AWS's.
func (a *Access) managed(arn string) (*managedPolicy, error) {
	if p, ok := a.policies.get(arn); ok {
		return p, nil
	}
	name, isAWS := strings.CutPrefix(arn, awsARN)
	if !isAWS {
		return nil, notFound("Policy %s does not exist or is not attachable.", arn)
	}
	document, err := awsManaged.ReadFile("managed/" + strings.ReplaceAll(name, "/", "--") + ".json")
	if err != nil {
		return nil, notFound("Policy %s does not exist or is not attachable: roost keeps only some of AWS's managed policies; use a policy of your own with the same statements.", arn)
	}
	path, base := "/", name
	if i := strings.LastIndex(name, "/"); i >= 0 {
		path, base = "/"+name[:i+1], name[i+1:]
	}
	p := &managedPolicy{
		Name: base, Path: path, ID: "ANPAAWSMANAGED" + strings.ToUpper(base), ARN: arn,
		Versions: []policyVersion{{ID: "v1", Document: string(document)}}, Default: "v1",
	}
	if p.policy, err = iam.Parse(document); err != nil {
		return nil, err
	}
	a.policies.set(arn, p) // AWS's policies do not change, so this is only a memory
	return p, nil
}

// ownManaged reads one of the account's own managed policies within ctx.
func (a *Access) ownManaged(ctx context.Context, arn string) (*managedPolicy, error) {
	if strings.HasPrefix(arn, awsARN) {
		return a.managed(arn)
	}
	p := &managedPolicy{}
	err := a.config.DB.View(ctx, func(tx *store.Tx) error {
		found, err := tx.Get(kindPolicy, arn, p)
		if err == nil && !found {
			return notFound("Policy %s was not found.", arn)
		}
		return err
	})
	return p, err
}

// changePolicy reads a managed policy, lets f alter the copy, and stores it.
func (a *Access) changePolicy(ctx context.Context, arn string, f func(*store.Tx, *managedPolicy) error) error {
	if strings.HasPrefix(arn, awsARN) {
		return wire.Errorf(403, "AccessDenied", "AWS's managed policy %s cannot be changed.", arn)
	}
	return a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		p := &managedPolicy{}
		found, err := tx.Get(kindPolicy, arn, p)
		if err != nil {
			return err
		}
		if !found {
			return notFound("Policy %s was not found.", arn)
		}
		if err := f(tx, p); err != nil {
			return err
		}
		return a.putPolicy(tx, p)
	})
}

func (a *Access) putPolicy(tx *store.Tx, p *managedPolicy) error {
	if err := p.compile(); err != nil {
		return malformed(err)
	}
	tx.OnCommit(func() { a.policies.set(p.ARN, p) })
	return tx.Put(kindPolicy, p.ARN, p)
}

// attachedTo returns who has a managed policy attached or as a boundary.
func attachedTo(tx *store.Tx, arn string) (attached, bounded []*identity, err error) {
	for _, kind := range []string{kindUser, kindRole, kindGroup} {
		all, err := store.All[*identity](tx, kind, "")
		if err != nil {
			return nil, nil, err
		}
		for _, x := range all {
			for _, have := range x.Attached {
				if have == arn {
					attached = append(attached, x)
				}
			}
			if x.Boundary == arn {
				bounded = append(bounded, x)
			}
		}
	}
	return attached, bounded, nil
}

// encoded is a policy document as IAM's answers carry it (RFC 3986).
func encoded(document string) string {
	return strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
}
