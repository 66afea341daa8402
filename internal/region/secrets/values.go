package secrets

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Limits (Secrets Manager User Guide, "AWS Secrets Manager quotas").
const (
	maxValue    = 65536 // bytes
	maxVersions = 100
	maxStages   = 20
	maxTags     = 50
)

// Tag is a tag of a secret.
type Tag struct {
	Key   string
	Value string
}

// Value is a secret's value: text, or bytes.
type Value struct {
	SecretString *string `json:",omitempty"`
	SecretBinary []byte  `json:",omitempty"`
}

func (v Value) given() bool { return v.SecretString != nil || v.SecretBinary != nil }

func (v Value) check() error {
	switch {
	case v.SecretString != nil && v.SecretBinary != nil:
		return invalidParameter("You can't specify both a binary secret value and a string secret value in the same secret.")
	case v.SecretString != nil && len(*v.SecretString) > maxValue, len(v.SecretBinary) > maxValue:
		return invalidParameter("The secret value has more than %d bytes.", maxValue)
	}
	return nil
}

// CreateInput makes a secret.
type CreateInput struct {
	Name               string `required:"true"`
	ClientRequestToken string
	Description        string
	KeyID              string `json:"KmsKeyId"`
	Value
	Tags []Tag
}

// VersionOutput names a secret and the version that was made.
type VersionOutput struct {
	ARN           string
	Name          string
	VersionID     string   `json:"VersionId,omitempty"`
	VersionStages []string `json:",omitempty"`
}

func (s *Secrets) create(ctx context.Context, _ *wire.Call, in *CreateInput) (*VersionOutput, error) {
	if valid, err := regexp.MatchString(`^[A-Za-z0-9/_+=.@!-]{1,512}$`, in.Name); err != nil || !valid {
		return nil, wire.Errorf(http.StatusBadRequest, "ValidationException", "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	if err := in.Value.check(); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	suffix, err := s.pick(letters+strings.ToUpper(letters)+digits, suffixLength-1)
	if err != nil {
		return nil, err
	}
	x := &secret{Name: in.Name, ARN: s.arnPrefix() + in.Name + "-" + suffix, Description: in.Description, KeyID: in.KeyID, Created: s.now(), Changed: s.now(), Tags: map[string]string{}}
	for _, tag := range in.Tags {
		x.Tags[tag.Key] = tag.Value
	}
	out := &VersionOutput{}
	return out, s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		before, err := s.find(tx, in.Name)
		if err != nil {
			return err
		}
		if before != nil {
			return s.again(before, in, out)
		}
		if in.Value.given() {
			if out.VersionID, err = s.add(x, in.ClientRequestToken, in.Value, []string{stageCurrent}); err != nil {
				return err
			}
		}
		out.ARN, out.Name = x.ARN, x.Name
		return tx.Put(kindSecret, x.Name, x)
	})
}

// again answers a request for a secret that is there: with the same token and
// value it is the same request, repeated.
func (s *Secrets) again(x *secret, in *CreateInput, out *VersionOutput) error {
	if x.Deleted != nil {
		return invalidRequest("You can't create this secret because a secret with this name is already scheduled for deletion.")
	}
	v := x.version(in.ClientRequestToken)
	if in.ClientRequestToken != "" && v != nil {
		if same, err := s.holds(x, v, in.Value); err != nil || same {
			out.ARN, out.Name, out.VersionID = x.ARN, x.Name, v.ID
			return err
		}
	}
	return wire.Errorf(http.StatusBadRequest, "ResourceExistsException", "The operation failed because the secret %s already exists.", x.Name)
}

func (x *secret) version(id string) *version {
	for i := range x.Versions {
		if x.Versions[i].ID == id {
			return &x.Versions[i]
		}
	}
	return nil
}

func (x *secret) staged(stage string) *version {
	for i := range x.Versions {
		if slices.Contains(x.Versions[i].Stages, stage) {
			return &x.Versions[i]
		}
	}
	return nil
}

func (s *Secrets) open(x *secret, v *version) (Value, error) {
	text, err := s.box.Open(v.Value, x.ARN+":"+v.ID)
	if err != nil || !v.Binary {
		return Value{SecretString: &text}, err
	}
	data, err := base64.StdEncoding.DecodeString(text)
	return Value{SecretBinary: data}, err
}

func (s *Secrets) holds(x *secret, v *version, value Value) (bool, error) {
	kept, err := s.open(x, v)
	if err != nil || kept.SecretString == nil != (value.SecretString == nil) {
		return false, err
	}
	if value.SecretString != nil {
		return *kept.SecretString == *value.SecretString, nil
	}
	return string(kept.SecretBinary) == string(value.SecretBinary), nil
}

// add gives a secret a version, named by the client's token or anew, and moves
// staging labels to it.
func (s *Secrets) add(x *secret, token string, value Value, stages []string) (string, error) {
	if token == "" {
		var err error
		if token, err = s.newID(); err != nil {
			return "", err
		}
	}
	if len(token) < 32 || len(token) > 64 {
		return "", invalidParameter("ClientRequestToken must be 32-64 characters long.")
	}
	if v := x.version(token); v != nil {
		same, err := s.holds(x, v, value)
		if err == nil && !same {
			err = wire.Errorf(http.StatusBadRequest, "ResourceExistsException", "You can't modify an existing version, you can only create a new version.")
		}
		return token, err
	}
	v := version{ID: token, Created: s.now()}
	text := base64.StdEncoding.EncodeToString(value.SecretBinary)
	if v.Binary = value.SecretString == nil; !v.Binary {
		text = *value.SecretString
	}
	var err error
	if v.Value, err = s.box.Seal(text, x.ARN+":"+v.ID); err != nil {
		return "", err
	}
	x.Versions = append(x.Versions, v)
	for _, stage := range stages {
		x.move(stage, token)
	}
	x.prune()
	return token, nil
}

// move gives a staging label to a version; "" takes it from all. Where
// AWSCURRENT leaves, AWSPREVIOUS arrives.
func (x *secret) move(stage, id string) {
	for i := range x.Versions {
		v := &x.Versions[i]
		had := slices.Contains(v.Stages, stage)
		v.Stages = slices.DeleteFunc(v.Stages, func(s string) bool { return s == stage })
		if v.ID == id {
			v.Stages = append(v.Stages, stage)
		} else if had && stage == stageCurrent && id != "" {
			x.move(stagePrevious, v.ID)
		}
	}
}

// prune removes the oldest versions without a label when there are too many.
func (x *secret) prune() {
	excess := len(x.Versions) - maxVersions
	x.Versions = slices.DeleteFunc(x.Versions, func(v version) bool {
		if excess > 0 && len(v.Stages) == 0 {
			excess--
			return true
		}
		return false
	})
}

// GetValueInput asks for a value: the current one, or by version or label.
type GetValueInput struct {
	IDInput
	VersionID    string `json:"VersionId"`
	VersionStage string
	key          string // whose use permission was asked for; "" for none or the default one
}

func (in *GetValueInput) stage() string {
	if in.VersionStage == "" {
		return stageCurrent
	}
	return in.VersionStage
}

// GetValueOutput is the answer of GetSecretValue.
type GetValueOutput struct {
	ARN       string
	Name      string
	VersionID string `json:"VersionId"`
	Value
	VersionStages []string
	CreatedDate   wire.Time
}

func (s *Secrets) getValue(ctx context.Context, _ *wire.Call, in *GetValueInput) (*GetValueOutput, error) {
	out := &GetValueOutput{}
	var x *secret
	err := s.config.DB.View(ctx, func(tx *store.Tx) (err error) {
		if x, err = s.live(tx, in.SecretID); err != nil {
			return err
		}
		if x.KeyID != in.key && len(s.keys().Use("", x.KeyID)) > 0 {
			return wire.Errorf(http.StatusInternalServerError, "InternalServiceError", "The secret %s got another key while it was decided whether you may use that. Try again.", x.Name)
		}
		v, err := in.choose(x)
		if err != nil {
			return err
		}
		out.ARN, out.Name, out.VersionID, out.VersionStages, out.CreatedDate = x.ARN, x.Name, v.ID, v.Stages, v.Created
		out.Value, err = s.open(x, v)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, s.touch(ctx, x)
}

// touch notes the day on which a secret was read, once a day.
func (s *Secrets) touch(ctx context.Context, x *secret) error {
	day := wire.Time{Time: s.config.Now().UTC().Truncate(24 * time.Hour)}
	if x.Accessed != nil && x.Accessed.Equal(day.Time) {
		return nil
	}
	return s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		now, err := s.find(tx, x.ARN)
		if err != nil || now == nil {
			return err
		}
		now.Accessed = &day
		return tx.Put(kindSecret, now.Name, now)
	})
}

func (in *GetValueInput) choose(x *secret) (*version, error) {
	if in.VersionID != "" {
		v := x.version(in.VersionID)
		if v == nil {
			return nil, wire.Errorf(http.StatusBadRequest, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: %s", in.VersionID)
		}
		if in.VersionStage != "" && !slices.Contains(v.Stages, in.VersionStage) {
			return nil, invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.")
		}
		return v, nil
	}
	if v := x.staged(in.stage()); v != nil {
		return v, nil
	}
	return nil, wire.Errorf(http.StatusBadRequest, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: %s", in.stage())
}

// PutValueInput gives a secret a new version.
type PutValueInput struct {
	IDInput
	ClientRequestToken string
	Value
	VersionStages []string
}

func (s *Secrets) putValue(ctx context.Context, _ *wire.Call, in *PutValueInput) (*VersionOutput, error) {
	if !in.Value.given() {
		return nil, invalidRequest("You must provide either SecretString or SecretBinary.")
	}
	if err := in.Value.check(); err != nil {
		return nil, err
	}
	if len(in.VersionStages) > maxStages {
		return nil, invalidParameter("A version has up to %d staging labels.", maxStages)
	}
	stages := in.VersionStages
	if len(stages) == 0 {
		stages = []string{stageCurrent}
	}
	out := &VersionOutput{}
	x, err := s.change(ctx, in.SecretID, func(x *secret) (err error) {
		out.VersionID, err = s.add(x, in.ClientRequestToken, in.Value, stages)
		return err
	})
	if err != nil {
		return nil, err
	}
	out.ARN, out.Name, out.VersionStages = x.ARN, x.Name, x.version(out.VersionID).Stages
	return out, nil
}

// UpdateInput changes what is given: the description, the key, the value.
type UpdateInput struct {
	IDInput
	ClientRequestToken string
	Description        *string
	KeyID              *string `json:"KmsKeyId"`
	Value
}

func (s *Secrets) update(ctx context.Context, _ *wire.Call, in *UpdateInput) (*VersionOutput, error) {
	if err := in.Value.check(); err != nil {
		return nil, err
	}
	out := &VersionOutput{}
	x, err := s.change(ctx, in.SecretID, func(x *secret) (err error) {
		if in.Description != nil {
			x.Description = *in.Description
		}
		if in.KeyID != nil {
			x.KeyID = *in.KeyID
		}
		if in.Value.given() {
			out.VersionID, err = s.add(x, in.ClientRequestToken, in.Value, []string{stageCurrent})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out.ARN, out.Name = x.ARN, x.Name
	return out, nil
}

// UpdateStageInput moves a staging label from one version to another.
type UpdateStageInput struct {
	IDInput
	VersionStage        string `required:"true"`
	RemoveFromVersionID string `json:"RemoveFromVersionId"`
	MoveToVersionID     string `json:"MoveToVersionId"`
}

func (s *Secrets) updateStage(ctx context.Context, _ *wire.Call, in *UpdateStageInput) (*NamedOutput, error) {
	x, err := s.change(ctx, in.SecretID, func(x *secret) error {
		holder := x.staged(in.VersionStage)
		switch {
		case in.MoveToVersionID != "" && x.version(in.MoveToVersionID) == nil:
			return wire.Errorf(http.StatusBadRequest, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: %s", in.MoveToVersionID)
		case holder != nil && holder.ID != in.MoveToVersionID && holder.ID != in.RemoveFromVersionID:
			return invalidParameter("The parameter RemoveFromVersionId can't be empty. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", in.VersionStage, holder.ID)
		case in.VersionStage == stageCurrent && in.MoveToVersionID == "":
			return invalidRequest("You can't remove the staging label AWSCURRENT. Move it to another version.")
		}
		x.move(in.VersionStage, in.MoveToVersionID)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &NamedOutput{ARN: x.ARN, Name: x.Name}, nil
}

// The characters of passwords.
const (
	letters     = "abcdefghijklmnopqrstuvwxyz"
	digits      = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

// pick draws n characters, each as likely as the others.
func (s *Secrets) pick(from string, n int) (string, error) {
	out := make([]byte, 0, n)
	limit := 256 - 256%len(from)
	var b [1]byte
	for len(out) < n {
		if _, err := io.ReadFull(s.config.Rand, b[:]); err != nil {
			return "", err
		}
		if int(b[0]) < limit {
			out = append(out, from[int(b[0])%len(from)])
		}
	}
	return string(out), nil
}
