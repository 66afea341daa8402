// Package kms keeps keys of AWS KMS as records: as far as bootstrapping and
// templates create, describe, name and delete them.
//
//	k := kms.New(kms.Config{Account: "123456789012", Region: "us-east-1", DB: db})
//	service := k.Service() // for the edge and for CloudFormation
//
// There is no key material. Operations that encrypt, sign or give grants are
// refused by name, and so are keys that are not symmetric.
package kms

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Config is what New needs. Account, Region and DB must be given.
type Config struct {
	Account string // 12 digits
	Region  string
	DB      *store.DB
	Now     func() time.Time // nil means time.Now
	Rand    io.Reader        // nil means crypto/rand
}

// KMS is the service. Make it with New.
type KMS struct {
	config  Config
	service *wire.Service
}

// New returns the service.
func New(config Config) *KMS {
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	k := &KMS{config: config}
	k.service = k.describe()
	return k
}

// Close ends the service. Nothing of it runs in the background.
func (k *KMS) Close() error { return nil }

// Service returns the operations.
func (k *KMS) Service() *wire.Service { return k.service }

func (k *KMS) describe() *wire.Service {
	s := &wire.Service{Name: "kms", Protocol: wire.JSON, Target: "TrentService"}
	s.Operations = []wire.Operation{
		wire.Op("CreateKey", k.createKey),
		wire.Op("DescribeKey", k.describeKey, on[keyInput](k)),
		wire.Op("ListKeys", k.listKeys),
		wire.Op("UpdateKeyDescription", k.updateDescription, on[descriptionInput](k)),
		wire.Op("PutKeyPolicy", k.putPolicy, on[policyInput](k)),
		wire.Op("GetKeyPolicy", k.getPolicy, on[getPolicyInput](k)),
		wire.Op("EnableKey", k.state("Enabled"), on[keyInput](k)),
		wire.Op("DisableKey", k.state("Disabled"), on[keyInput](k)),
		wire.Op("ScheduleKeyDeletion", k.scheduleDeletion, on[deletionInput](k)),
		wire.Op("CancelKeyDeletion", k.cancelDeletion, on[keyInput](k)),
		wire.Op("EnableKeyRotation", k.rotation(true), on[rotationInput](k)),
		wire.Op("DisableKeyRotation", k.rotation(false), on[rotationInput](k)),
		wire.Op("GetKeyRotationStatus", k.rotationStatus, on[keyInput](k)),
		wire.Op("TagResource", k.tag, on[tagInput](k)),
		wire.Op("UntagResource", k.untag, on[untagInput](k)),
		wire.Op("ListResourceTags", k.listTags, on[listTagsInput](k)),
		wire.Op("CreateAlias", k.createAlias, wire.Targets(k.aliasTargets)),
		wire.Op("UpdateAlias", k.updateAlias, wire.Targets(k.movedTargets)),
		wire.Op("DeleteAlias", k.deleteAlias, wire.Targets(func(_ *wire.Call, in *deleteAliasInput) []wire.Target { return k.named(in.AliasName) })),
		wire.Op("ListAliases", k.listAliases),
	}
	s.Operations = append(s.Operations, wire.Refused(func(operation string) error {
		return wire.Errorf(http.StatusBadRequest, "UnsupportedOperationException", "roost does not support %s of KMS: keys are kept as records and have no material", operation)
	}, "Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair",
		"GenerateMac", "VerifyMac", "GenerateRandom", "Sign", "Verify", "GetPublicKey", "CreateGrant", "ImportKeyMaterial")...)
	return s
}

// The kinds under which things are stored.
const (
	kindKey   = "kms-key"   // by id
	kindAlias = "kms-alias" // by name
)

type key struct {
	ID          string
	Description string
	Policy      string
	State       string // "Enabled", "Disabled" or "PendingDeletion"
	Created     wire.Time
	Gone        *wire.Time `json:",omitempty"`
	Window      int        `json:",omitempty"` // days
	Rotation    int        `json:",omitempty"` // days; 0 for none
	Tags        []Tag      `json:",omitempty"`
}

type alias struct {
	Name    string
	Target  string
	Created wire.Time
	Changed wire.Time
}

// Tag is a tag of a key.
type Tag struct {
	TagKey   string `required:"true"`
	TagValue string
}

// arn returns the ARN of "key/ID" or "alias/NAME".
func (k *KMS) arn(name string) string {
	return "arn:aws:kms:" + k.config.Region + ":" + k.config.Account + ":" + name
}

func (k *KMS) now() wire.Time {
	return wire.Moment(k.config.Now())
}

// find reads the key that an id, an ARN or an alias names.
func (k *KMS) find(tx *store.Tx, reference string) (*key, error) {
	id := strings.TrimPrefix(reference, k.arn(""))
	if strings.HasPrefix(id, "alias/") {
		var a alias
		found, err := tx.Get(kindAlias, id, &a)
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, notFound("Alias %s is not found.", k.arn(id))
		}
		id = a.Target
	}
	id = strings.TrimPrefix(id, "key/")
	var x key
	found, err := tx.Get(kindKey, id, &x)
	if err != nil {
		return nil, err
	}
	if !found || k.over(&x) {
		return nil, notFound("Key '%s' does not exist", k.arn("key/"+id))
	}
	return &x, nil
}

// over reports whether a key was deleted and its waiting period has ended.
func (k *KMS) over(x *key) bool { return x.Gone != nil && !k.config.Now().Before(x.Gone.Time) }

func notFound(format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, "NotFoundException", format, args...)
}

// keyInput names a key by its id, its ARN or an alias.
type keyInput struct {
	KeyID       string   `json:"KeyId" required:"true"`
	GrantTokens []string `json:",omitempty"`
}

func (in keyInput) reference() string { return in.KeyID }

// on is the permission that acting on a key needs; the key's policy has a say.
func on[In interface{ reference() string }](k *KMS) wire.Option {
	return wire.Targets(func(_ *wire.Call, in *In) []wire.Target { return []wire.Target{k.target((*in).reference())} })
}

func (k *KMS) target(reference string) wire.Target {
	t := wire.Target{Resource: k.arn("key/" + strings.TrimPrefix(strings.TrimPrefix(reference, k.arn("")), "key/"))}
	err := k.config.DB.View(context.Background(), func(tx *store.Tx) error {
		x, err := k.find(tx, reference)
		if err == nil {
			t.Resource, t.Policy = k.arn("key/"+x.ID), x.Policy
		}
		if wire.Code(err) == "NotFoundException" {
			return nil
		}
		return err
	})
	if err != nil {
		t.Policy = wire.Unreadable
	}
	return t
}

// change changes a key. pending says whether it may be about to be deleted.
func (k *KMS) change(ctx context.Context, reference string, pending bool, f func(*key) error) (*key, error) {
	var x *key
	return x, k.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		if x, err = k.find(tx, reference); err != nil {
			return err
		}
		if x.Gone != nil && !pending {
			return wire.Errorf(http.StatusBadRequest, "KMSInvalidStateException", "%s is pending deletion.", k.arn("key/"+x.ID))
		}
		if err := f(x); err != nil {
			return err
		}
		return tx.Put(kindKey, x.ID, x)
	})
}

type createKeyInput struct {
	Policy                         string
	Description                    string
	KeyUsage                       string
	KeySpec                        string
	CustomerMasterKeySpec          string
	Origin                         string
	BypassPolicyLockoutSafetyCheck bool
	Tags                           []Tag
	MultiRegion                    bool
}

// KeyMetadata is what is told of a key (API Reference, "KeyMetadata").
type KeyMetadata struct {
	AWSAccountID                string `json:"AWSAccountId"`
	KeyID                       string `json:"KeyId"`
	Arn                         string
	CreationDate                wire.Time
	Enabled                     bool
	Description                 string
	KeyUsage                    string
	KeyState                    string
	DeletionDate                *wire.Time `json:",omitempty"`
	Origin                      string
	KeyManager                  string
	CustomerMasterKeySpec       string
	KeySpec                     string
	EncryptionAlgorithms        []string
	MultiRegion                 bool
	PendingDeletionWindowInDays int `json:",omitempty"`
}

type keyOutput struct{ KeyMetadata KeyMetadata }

func (k *KMS) metadata(x *key) KeyMetadata {
	return KeyMetadata{
		AWSAccountID: k.config.Account, KeyID: x.ID, Arn: k.arn("key/" + x.ID), CreationDate: x.Created, Enabled: x.State == "Enabled",
		Description: x.Description, KeyUsage: "ENCRYPT_DECRYPT", KeyState: x.State, DeletionDate: x.Gone, Origin: "AWS_KMS",
		KeyManager: "CUSTOMER", CustomerMasterKeySpec: "SYMMETRIC_DEFAULT", KeySpec: "SYMMETRIC_DEFAULT", EncryptionAlgorithms: []string{"SYMMETRIC_DEFAULT"},
	}
}

func (in *createKeyInput) check() error {
	for member, value := range map[string][2]string{
		"KeyUsage": {in.KeyUsage, "ENCRYPT_DECRYPT"}, "KeySpec": {in.KeySpec, "SYMMETRIC_DEFAULT"},
		"CustomerMasterKeySpec": {in.CustomerMasterKeySpec, "SYMMETRIC_DEFAULT"}, "Origin": {in.Origin, "AWS_KMS"},
	} {
		if value[0] != "" && value[0] != value[1] {
			return wire.Errorf(http.StatusBadRequest, "UnsupportedOperationException", "roost does not support keys with %s %s", member, value[0])
		}
	}
	if in.MultiRegion {
		return wire.Errorf(http.StatusBadRequest, "UnsupportedOperationException", "roost does not support keys of several regions")
	}
	return checkPolicy(in.Policy)
}

func checkPolicy(policy string) error {
	if policy == "" {
		return nil
	}
	if _, err := iam.ParseResource([]byte(policy)); err != nil {
		return wire.Errorf(http.StatusBadRequest, "MalformedPolicyDocumentException", "%v", err)
	}
	return nil
}

func (k *KMS) createKey(ctx context.Context, _ *wire.Call, in *createKeyInput) (*keyOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	id, err := uuid.NewRandomFromReader(k.config.Rand)
	if err != nil {
		return nil, err
	}
	x := &key{
		ID: id.String(), Description: in.Description, Policy: in.Policy, State: "Enabled", Created: k.now(), Tags: in.Tags,
	}
	if x.Policy == "" { // (Developer Guide, "Default key policy")
		x.Policy = `{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + k.config.Account + `:root"},"Action":"kms:*","Resource":"*"}]}`
	}
	err = k.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error { return tx.Put(kindKey, x.ID, x) })
	return &keyOutput{k.metadata(x)}, err
}

func (k *KMS) describeKey(ctx context.Context, _ *wire.Call, in *keyInput) (*keyOutput, error) {
	out := &keyOutput{}
	return out, k.config.DB.View(ctx, func(tx *store.Tx) error {
		x, err := k.find(tx, in.KeyID)
		if err == nil {
			out.KeyMetadata = k.metadata(x)
		}
		return err
	})
}

type listInput struct {
	Limit  *int
	Marker string
}

// maxPage is the most that a page may have (API Reference, "ListKeys").
const maxPage = 1000

// listed says whether there is more, and how to ask for it.
type listed struct {
	Truncated  bool
	NextMarker string `json:",omitempty"`
}

// cut returns one page of a list.
func cut[T any](list []T, in listInput) ([]T, listed, error) {
	page, next, err := wire.Page(list, in.Limit, maxPage, in.Marker, wire.Errorf(http.StatusBadRequest, "InvalidMarkerException", "Could not deserialize marker"))
	return page, listed{Truncated: next != "", NextMarker: next}, err
}

type listedKey struct {
	KeyID  string `json:"KeyId"`
	KeyArn string
}

type listKeysOutput struct {
	Keys []listedKey
	listed
}

func (k *KMS) listKeys(ctx context.Context, _ *wire.Call, in *listInput) (*listKeysOutput, error) {
	out := &listKeysOutput{Keys: []listedKey{}}
	return out, k.config.DB.View(ctx, func(tx *store.Tx) error {
		all, err := store.All[key](tx, kindKey, "")
		if err != nil {
			return err
		}
		for _, x := range all {
			if !k.over(&x) {
				out.Keys = append(out.Keys, listedKey{KeyID: x.ID, KeyArn: k.arn("key/" + x.ID)})
			}
		}
		out.Keys, out.listed, err = cut(out.Keys, *in)
		return err
	})
}

type policyInput struct {
	keyInput
	PolicyName                     string
	Policy                         string `required:"true"`
	BypassPolicyLockoutSafetyCheck bool
}
