package kms

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

type empty struct{}

type descriptionInput struct {
	keyInput
	Description string
}

func (k *KMS) updateDescription(ctx context.Context, _ *wire.Call, in *descriptionInput) (*empty, error) {
	_, err := k.change(ctx, in.KeyID, false, func(x *key) error {
		x.Description = in.Description
		return nil
	})
	return &empty{}, err
}

// policyName is the only name that a key's policy has.
const policyName = "default"

func (k *KMS) putPolicy(ctx context.Context, _ *wire.Call, in *policyInput) (*empty, error) {
	if in.PolicyName != "" && in.PolicyName != policyName {
		return nil, notFound("No such policy exists")
	}
	if err := checkPolicy(in.Policy); err != nil {
		return nil, err
	}
	_, err := k.change(ctx, in.KeyID, false, func(x *key) error {
		x.Policy = in.Policy
		return nil
	})
	return &empty{}, err
}

type getPolicyInput struct {
	keyInput
	PolicyName string
}

type policyOutput struct{ Policy, PolicyName string }

func (k *KMS) getPolicy(ctx context.Context, _ *wire.Call, in *getPolicyInput) (*policyOutput, error) {
	if in.PolicyName != "" && in.PolicyName != policyName {
		return nil, notFound("No such policy exists")
	}
	out := &policyOutput{PolicyName: policyName}
	return out, k.config.DB.View(ctx, func(tx *store.Tx) error {
		x, err := k.find(tx, in.KeyID)
		if err == nil {
			out.Policy = x.Policy
		}
		return err
	})
}

func (k *KMS) state(state string) func(context.Context, *wire.Call, *keyInput) (*empty, error) {
	return func(ctx context.Context, _ *wire.Call, in *keyInput) (*empty, error) {
		_, err := k.change(ctx, in.KeyID, false, func(x *key) error {
			x.State = state
			return nil
		})
		return &empty{}, err
	}
}

type deletionInput struct {
	keyInput
	PendingWindowInDays *int
}

type deletionOutput struct {
	KeyID               string `json:"KeyId"`
	DeletionDate        wire.Time
	KeyState            string
	PendingWindowInDays int
}

func (k *KMS) scheduleDeletion(ctx context.Context, _ *wire.Call, in *deletionInput) (*deletionOutput, error) {
	days := 30
	if in.PendingWindowInDays != nil {
		days = *in.PendingWindowInDays
	}
	if days < 7 || days > 30 {
		return nil, wire.Errorf(http.StatusBadRequest, "ValidationException", "PendingWindowInDays must be between 7 and 30")
	}
	x, err := k.change(ctx, in.KeyID, false, func(x *key) error {
		gone := wire.Time{Time: k.now().AddDate(0, 0, days)}
		x.State, x.Gone, x.Window = "PendingDeletion", &gone, days
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &deletionOutput{KeyID: k.arn("key/" + x.ID), DeletionDate: *x.Gone, KeyState: x.State, PendingWindowInDays: days}, nil
}

type cancelOutput struct {
	KeyID string `json:"KeyId"`
}

func (k *KMS) cancelDeletion(ctx context.Context, _ *wire.Call, in *keyInput) (*cancelOutput, error) {
	x, err := k.change(ctx, in.KeyID, true, func(x *key) error {
		if x.Gone == nil {
			return wire.Errorf(http.StatusBadRequest, "KMSInvalidStateException", "%s is not pending deletion.", k.arn("key/"+x.ID))
		}
		x.State, x.Gone, x.Window = "Disabled", nil, 0
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &cancelOutput{KeyID: k.arn("key/" + x.ID)}, nil
}

type rotationInput struct {
	keyInput
	RotationPeriodInDays *int
}

func (k *KMS) rotation(enabled bool) func(context.Context, *wire.Call, *rotationInput) (*empty, error) {
	return func(ctx context.Context, _ *wire.Call, in *rotationInput) (*empty, error) {
		days := 365
		if in.RotationPeriodInDays != nil {
			days = *in.RotationPeriodInDays
		}
		if days < 90 || days > 2560 {
			return nil, wire.Errorf(http.StatusBadRequest, "ValidationException", "RotationPeriodInDays must be between 90 and 2560")
		}
		_, err := k.change(ctx, in.KeyID, false, func(x *key) error {
			x.Rotation = 0
			if enabled {
				x.Rotation = days
			}
			return nil
		})
		return &empty{}, err
	}
}

type rotationOutput struct {
	KeyRotationEnabled   bool
	KeyID                string `json:"KeyId"`
	RotationPeriodInDays int    `json:",omitempty"`
}

func (k *KMS) rotationStatus(ctx context.Context, _ *wire.Call, in *keyInput) (*rotationOutput, error) {
	out := &rotationOutput{}
	return out, k.config.DB.View(ctx, func(tx *store.Tx) error {
		x, err := k.find(tx, in.KeyID)
		if err == nil {
			out.KeyRotationEnabled, out.KeyID, out.RotationPeriodInDays = x.Rotation > 0, k.arn("key/"+x.ID), x.Rotation
		}
		return err
	})
}

type tagInput struct {
	keyInput
	Tags []Tag `required:"true"`
}

func (k *KMS) tag(ctx context.Context, _ *wire.Call, in *tagInput) (*empty, error) {
	_, err := k.change(ctx, in.KeyID, false, func(x *key) error {
		for _, tag := range in.Tags {
			x.Tags = slices.DeleteFunc(x.Tags, func(t Tag) bool { return t.TagKey == tag.TagKey })
			x.Tags = append(x.Tags, tag)
		}
		return nil
	})
	return &empty{}, err
}

type untagInput struct {
	keyInput
	TagKeys []string `required:"true"`
}

func (k *KMS) untag(ctx context.Context, _ *wire.Call, in *untagInput) (*empty, error) {
	_, err := k.change(ctx, in.KeyID, false, func(x *key) error {
		x.Tags = slices.DeleteFunc(x.Tags, func(t Tag) bool { return slices.Contains(in.TagKeys, t.TagKey) })
		return nil
	})
	return &empty{}, err
}

type listTagsInput struct {
	keyInput
	listInput
}

type listTagsOutput struct {
	Tags []Tag
	listed
}

func (k *KMS) listTags(ctx context.Context, _ *wire.Call, in *listTagsInput) (*listTagsOutput, error) {
	out := &listTagsOutput{Tags: []Tag{}}
	return out, k.config.DB.View(ctx, func(tx *store.Tx) error {
		x, err := k.find(tx, in.KeyID)
		if err != nil {
			return err
		}
		out.Tags, out.listed, err = cut(append(out.Tags, x.Tags...), in.listInput)
		return err
	})
}

type aliasInput struct {
	AliasName   string `required:"true"`
	TargetKeyID string `json:"TargetKeyId" required:"true"`
}

// aliasTargets: an alias and its key both have a say (Developer Guide,
// "Controlling access to aliases").
func (k *KMS) aliasTargets(_ *wire.Call, in *aliasInput) []wire.Target {
	return []wire.Target{{Resource: k.arn(in.AliasName)}, k.target(in.TargetKeyID)}
}

// movedTargets: the key that loses the alias has a say too.
func (k *KMS) movedTargets(_ *wire.Call, in *aliasInput) []wire.Target {
	return append(k.named(in.AliasName), k.target(in.TargetKeyID))
}

// named are an alias and the key that it names now.
func (k *KMS) named(alias string) []wire.Target {
	return []wire.Target{{Resource: k.arn(alias)}, k.target(alias)}
}

func (in *aliasInput) check() error {
	valid, err := regexp.MatchString(`^alias/[a-zA-Z0-9/_-]{1,250}$`, in.AliasName)
	if err != nil || !valid {
		return wire.Errorf(http.StatusBadRequest, "ValidationException", "Alias must start with the prefix \"alias/\" and have only letters, digits, /, _ and - behind it")
	}
	if strings.HasPrefix(in.AliasName, "alias/aws/") {
		return wire.Errorf(http.StatusBadRequest, "NotAuthorizedException", "aliases that begin with alias/aws/ are reserved")
	}
	return nil
}

func (k *KMS) createAlias(ctx context.Context, _ *wire.Call, in *aliasInput) (*empty, error) {
	return k.setAlias(ctx, in, func(found bool) error {
		if found {
			return wire.Errorf(http.StatusBadRequest, "AlreadyExistsException", "An alias with the name %s already exists", k.arn(in.AliasName))
		}
		return nil
	})
}

func (k *KMS) updateAlias(ctx context.Context, _ *wire.Call, in *aliasInput) (*empty, error) {
	return k.setAlias(ctx, in, func(found bool) error {
		if !found {
			return notFound("Alias %s is not found.", k.arn(in.AliasName))
		}
		return nil
	})
}

func (k *KMS) setAlias(ctx context.Context, in *aliasInput, allowed func(found bool) error) (*empty, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return &empty{}, k.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		a := alias{Name: in.AliasName, Created: k.now()}
		found, err := tx.Get(kindAlias, in.AliasName, &a)
		if err != nil {
			return err
		}
		if err := allowed(found); err != nil {
			return err
		}
		x, err := k.find(tx, in.TargetKeyID)
		if err != nil {
			return err
		}
		a.Target, a.Changed = x.ID, k.now()
		return tx.Put(kindAlias, a.Name, a)
	})
}

type deleteAliasInput struct {
	AliasName string `required:"true"`
}

func (k *KMS) deleteAlias(ctx context.Context, _ *wire.Call, in *deleteAliasInput) (*empty, error) {
	return &empty{}, k.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		found, err := tx.Get(kindAlias, in.AliasName, &alias{})
		if err == nil && !found {
			err = notFound("Alias %s is not found.", k.arn(in.AliasName))
		}
		if err != nil {
			return err
		}
		return tx.Delete(kindAlias, in.AliasName)
	})
}

type listAliasesInput struct {
	KeyID string `json:"KeyId"`
	listInput
}

type listedAlias struct {
	AliasName       string
	AliasArn        string
	TargetKeyID     string `json:"TargetKeyId"`
	CreationDate    wire.Time
	LastUpdatedDate wire.Time
}

type listAliasesOutput struct {
	Aliases []listedAlias
	listed
}

func (k *KMS) listAliases(ctx context.Context, _ *wire.Call, in *listAliasesInput) (*listAliasesOutput, error) {
	out := &listAliasesOutput{Aliases: []listedAlias{}}
	return out, k.config.DB.View(ctx, func(tx *store.Tx) error {
		all, err := store.All[alias](tx, kindAlias, "")
		if err != nil {
			return err
		}
		for _, a := range all {
			if in.KeyID != "" && !strings.HasSuffix(in.KeyID, a.Target) {
				continue
			}
			out.Aliases = append(out.Aliases, listedAlias{
				AliasName: a.Name, AliasArn: k.arn(a.Name), TargetKeyID: a.Target, CreationDate: a.Created, LastUpdatedDate: a.Changed,
			})
		}
		out.Aliases, out.listed, err = cut(out.Aliases, in.listInput)
		return err
	})
}
