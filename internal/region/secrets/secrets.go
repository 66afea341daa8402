// Package secrets is Secrets Manager of the embedded region: secrets with their
// versions, staging labels, recovery windows and resource policies.
//
//	s, err := secrets.New(secrets.Config{Account: "123456789012", Region: "us-east-1", DB: db, MasterKey: key})
//	service := s.Service() // for the edge and for CloudFormation
//
// Values are encrypted at rest with a key derived from the region's master key.
// Rotation and replication are refused by name.
package secrets

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/seed-615d3599/roost/internal/region/sealed"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Config is what New needs. Account, Region, DB and MasterKey must be given.
type Config = sealed.Config

// Secrets is the service. Make it with New.
type Secrets struct {
	config  Config
	box     *sealed.Box
	service *wire.Service
}

// New returns the service.
func New(config Config) (*Secrets, error) {
	config, box, err := config.Open("secrets manager")
	if err != nil {
		return nil, err
	}
	s := &Secrets{config: config, box: box}
	s.service = s.describe()
	return s, nil
}

// Close ends the service. Nothing of it runs in the background.
func (s *Secrets) Close() error { return nil }

// Service returns the operations.
func (s *Secrets) Service() *wire.Service { return s.service }

func (s *Secrets) describe() *wire.Service {
	service := &wire.Service{Name: "secretsmanager", Protocol: wire.JSON, Target: "secretsmanager", CapitalMessage: true}
	service.Operations = []wire.Operation{
		wire.Op("CreateSecret", s.create, wire.Targets(s.createTargets)),
		wire.Op("GetSecretValue", s.getValue, wire.Targets(s.valueTargets)),
		wire.Op("PutSecretValue", s.putValue, on[PutValueInput](s)),
		wire.Op("UpdateSecret", s.update, on[UpdateInput](s)),
		wire.Op("DescribeSecret", s.describeSecret, on[IDInput](s)),
		wire.Op("ListSecrets", s.list),
		wire.Op("ListSecretVersionIds", s.listVersions, on[ListVersionsInput](s)),
		wire.Op("UpdateSecretVersionStage", s.updateStage, on[UpdateStageInput](s)),
		wire.Op("DeleteSecret", s.delete, on[DeleteInput](s)),
		wire.Op("RestoreSecret", s.restore, on[IDInput](s)),
		wire.Op("TagResource", s.tag, on[TagInput](s)),
		wire.Op("UntagResource", s.untag, on[UntagInput](s)),
		wire.Op("PutResourcePolicy", s.putPolicy, on[PutPolicyInput](s)),
		wire.Op("GetResourcePolicy", s.getPolicy, on[IDInput](s)),
		wire.Op("DeleteResourcePolicy", s.deletePolicy, on[IDInput](s)),
		wire.Op("GetRandomPassword", s.randomPassword),
	}
	service.Operations = append(service.Operations, wire.Refused(func(operation string) error {
		return invalidRequest("roost does not support %s of Secrets Manager", operation)
	}, "RotateSecret", "CancelRotateSecret", "ReplicateSecretToRegions", "RemoveRegionsFromReplication",
		"StopReplicationToReplica", "BatchGetSecretValue", "ValidateResourcePolicy")...)
	return service
}

// kindSecret is the kind under which secrets are stored, by name.
const kindSecret = "secretsmanager-secret"

// secret is a secret with all its versions.
type secret struct {
	Name        string
	ARN         string
	Description string `json:",omitempty"`
	KeyID       string `json:",omitempty"`
	Created     wire.Time
	Changed     wire.Time
	Accessed    *wire.Time        `json:",omitempty"` // the day
	Deleted     *wire.Time        `json:",omitempty"` // when deletion was asked for
	Gone        *wire.Time        `json:",omitempty"` // when it takes effect
	Tags        map[string]string `json:",omitempty"`
	Policy      string            `json:",omitempty"`
	Versions    []version
}

// version is one value of a secret.
type version struct {
	ID      string
	Binary  bool   `json:",omitempty"`
	Value   string // sealed
	Created wire.Time
	Stages  []string `json:",omitempty"`
}

// The staging labels that Secrets Manager moves by itself.
const (
	stageCurrent  = "AWSCURRENT"
	stagePrevious = "AWSPREVIOUS"
)

func (s *Secrets) arnPrefix() string {
	return "arn:aws:secretsmanager:" + s.config.Region + ":" + s.config.Account + ":secret:"
}

// suffixLength is how many characters an ARN has behind the name, the dash
// included.
const suffixLength = 7

// find reads the secret that an id names: a name, or an ARN with or without its
// last seven characters. nil if there is none.
func (s *Secrets) find(tx *store.Tx, id string) (*secret, error) {
	names := []string{id}
	if name, ok := strings.CutPrefix(id, s.arnPrefix()); ok {
		names = []string{name}
		if len(name) > suffixLength {
			names = append(names, name[:len(name)-suffixLength])
		}
	}
	for _, name := range names {
		var x secret
		found, err := tx.Get(kindSecret, name, &x)
		if err != nil {
			return nil, err
		}
		if found && (x.Name == id || x.ARN == id || s.arnPrefix()+x.Name == id) && !x.over(s.config.Now()) {
			return &x, nil
		}
	}
	return nil, nil
}

// over reports whether the recovery window has ended. The record goes when the
// name is used again.
func (x *secret) over(now time.Time) bool { return x.Gone != nil && !now.Before(x.Gone.Time) }

// must reads a secret that has to be there.
func (s *Secrets) must(tx *store.Tx, id string) (*secret, error) {
	x, err := s.find(tx, id)
	if err == nil && x == nil {
		err = wire.Errorf(http.StatusBadRequest, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	}
	return x, err
}

// live reads a secret that is not about to be deleted.
func (s *Secrets) live(tx *store.Tx, id string) (*secret, error) {
	x, err := s.must(tx, id)
	if err == nil && x.Deleted != nil {
		err = invalidRequest("You can't perform this operation on the secret because it was marked for deletion.")
	}
	return x, err
}

// change changes a secret that is not about to be deleted.
func (s *Secrets) change(ctx context.Context, id string, f func(*secret) error) (*secret, error) {
	var x *secret
	return x, s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) (err error) {
		if x, err = s.live(tx, id); err != nil {
			return err
		}
		if err := f(x); err != nil {
			return err
		}
		x.Changed = s.now()
		return tx.Put(kindSecret, x.Name, x)
	})
}

func (s *Secrets) now() wire.Time {
	return wire.Moment(s.config.Now())
}

// newID makes a version id of the form of a UUID.
func (s *Secrets) newID() (string, error) {
	id, err := uuid.NewRandomFromReader(s.config.Rand)
	return id.String(), err
}

func invalidRequest(format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, "InvalidRequestException", format, args...)
}

func invalidParameter(format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, "InvalidParameterException", format, args...)
}

// IDInput names a secret, by name or ARN.
type IDInput struct {
	SecretID string `json:"SecretId" required:"true"`
}

func (in IDInput) id() string { return in.SecretID }

// NamedOutput names the secret that was changed.
type NamedOutput struct {
	ARN  string
	Name string
}

// on is the permission that acting on a secret needs.
func on[In interface{ id() string }](s *Secrets) wire.Option {
	return wire.Targets(func(_ *wire.Call, in *In) []wire.Target { return []wire.Target{s.target((*in).id())} })
}

// target is a secret with its policy and the condition keys of its tags.
func (s *Secrets) target(id string) wire.Target {
	t := wire.Target{Resource: s.arnPrefix() + strings.TrimPrefix(id, s.arnPrefix()), Context: map[string][]string{"secretsmanager:SecretId": {id}}}
	err := s.config.DB.View(context.Background(), func(tx *store.Tx) error {
		x, err := s.find(tx, id)
		if x == nil {
			return err
		}
		t.Resource, t.Policy = x.ARN, x.Policy
		for key, value := range x.Tags {
			t.Context["secretsmanager:ResourceTag/"+key] = []string{value}
			t.Context["aws:ResourceTag/"+key] = []string{value}
		}
		return nil
	})
	if err != nil {
		t.Policy = wire.Unreadable
	}
	return t
}

// createTargets asks for the ARN that the secret will have, whose end nobody
// knows yet: six question marks stand for it.
func (s *Secrets) createTargets(_ *wire.Call, in *CreateInput) []wire.Target {
	t := wire.Target{Resource: s.arnPrefix() + in.Name + "-??????", Context: map[string][]string{"secretsmanager:Name": {in.Name}}}
	for _, tag := range in.Tags {
		t.Context["aws:RequestTag/"+tag.Key] = []string{tag.Value}
	}
	targets := []wire.Target{t}
	if len(in.Tags) > 0 {
		t.Action = "secretsmanager:TagResource"
		targets = append(targets, t)
	}
	return append(targets, s.keys().Use("kms:GenerateDataKey", in.KeyID)...)
}

func (s *Secrets) valueTargets(_ *wire.Call, in *GetValueInput) []wire.Target {
	t := s.target(in.SecretID)
	if in.VersionID != "" {
		t.Context["secretsmanager:VersionId"] = []string{in.VersionID}
	}
	if in.VersionStage != "" || in.VersionID == "" {
		t.Context["secretsmanager:VersionStage"] = []string{in.stage()}
	}
	targets := []wire.Target{t}
	err := s.config.DB.View(context.Background(), func(tx *store.Tx) error {
		x, err := s.find(tx, in.SecretID)
		if x != nil {
			in.key = x.KeyID
			targets = append(targets, s.keys().Use("kms:Decrypt", x.KeyID)...)
		}
		return err
	})
	if err != nil {
		targets[0].Policy = wire.Unreadable
	}
	return targets
}

// keys are those of AWS KMS that secrets can be encrypted with.
func (s *Secrets) keys() sealed.Keys {
	return s.config.Keys("secretsmanager")
}

// all reads the secrets that are there, by name.
func (s *Secrets) all(tx *store.Tx) ([]*secret, error) {
	items, err := tx.List(kindSecret, "")
	if err != nil {
		return nil, err
	}
	var list []*secret
	for _, item := range items {
		x := &secret{}
		if err := json.Unmarshal(item.Value, x); err != nil {
			return nil, err
		}
		if !x.over(s.config.Now()) {
			list = append(list, x)
		}
	}
	return list, nil
}
