package secrets

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/store"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Described is all of a secret but its value.
type Described struct {
	ARN                string
	Name               string
	Description        string `json:",omitempty"`
	KeyID              string `json:"KmsKeyId,omitempty"`
	CreatedDate        wire.Time
	LastChangedDate    wire.Time
	LastAccessedDate   *wire.Time          `json:",omitempty"`
	DeletedDate        *wire.Time          `json:",omitempty"`
	Tags               []Tag               `json:",omitempty"`
	VersionIDsToStages map[string][]string `json:"VersionIdsToStages,omitempty"`
	SecretVersions     map[string][]string `json:"SecretVersionsToStages,omitempty"` // in lists, its other name
}

func (x *secret) described() Described {
	d := Described{
		ARN: x.ARN, Name: x.Name, Description: x.Description, KeyID: x.KeyID, CreatedDate: x.Created,
		LastChangedDate: x.Changed, LastAccessedDate: x.Accessed, DeletedDate: x.Deleted, VersionIDsToStages: map[string][]string{},
	}
	for key, value := range x.Tags {
		d.Tags = append(d.Tags, Tag{Key: key, Value: value})
	}
	slices.SortFunc(d.Tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	for _, v := range x.Versions {
		if len(v.Stages) > 0 {
			d.VersionIDsToStages[v.ID] = v.Stages
		}
	}
	return d
}

func (s *Secrets) describeSecret(ctx context.Context, _ *wire.Call, in *IDInput) (*Described, error) {
	out := &Described{}
	return out, s.config.DB.View(ctx, func(tx *store.Tx) error {
		x, err := s.must(tx, in.SecretID)
		if err == nil {
			*out = x.described()
		}
		return err
	})
}

// Filter chooses secrets (API Reference, "Filter").
type Filter struct {
	Key    string
	Values []string
}

// ListInput asks for secrets.
type ListInput struct {
	IncludePlannedDeletion bool
	MaxResults             *int
	NextToken              string
	Filters                []Filter
	SortOrder              string
	SortBy                 string
}

// ListOutput is the answer of ListSecrets.
type ListOutput struct {
	SecretList []Described
	NextToken  string `json:",omitempty"`
}

func (s *Secrets) list(ctx context.Context, _ *wire.Call, in *ListInput) (*ListOutput, error) {
	if in.SortBy != "" && in.SortBy != "name" {
		return nil, invalidParameter("roost does not support sorting secrets by %s: use name", in.SortBy)
	}
	for _, filter := range in.Filters {
		if _, err := filter.passes(&secret{}); err != nil {
			return nil, err
		}
	}
	out := &ListOutput{SecretList: []Described{}}
	return out, s.config.DB.View(ctx, func(tx *store.Tx) error {
		all, err := s.all(tx)
		if err != nil {
			return err
		}
		if in.SortOrder == "desc" {
			slices.Reverse(all)
		}
		for _, x := range all {
			pass := in.IncludePlannedDeletion || x.Deleted == nil
			for _, filter := range in.Filters {
				ok, err := filter.passes(x)
				if err != nil {
					return err
				}
				pass = pass && ok
			}
			if pass {
				d := x.described()
				d.VersionIDsToStages, d.SecretVersions = nil, d.VersionIDsToStages
				out.SecretList = append(out.SecretList, d)
			}
		}
		out.SecretList, out.NextToken, err = cut(out.SecretList, in.MaxResults, in.NextToken)
		return err
	})
}

// passes applies a filter. A value with an exclamation mark in front must not
// be met.
func (f Filter) passes(x *secret) (bool, error) {
	var fields []string
	switch f.Key {
	case "name":
		fields = []string{x.Name}
	case "description":
		fields = []string{x.Description}
	case "tag-key", "tag-value", "all":
		for key, value := range x.Tags {
			if f.Key != "tag-value" {
				fields = append(fields, key)
			}
			if f.Key != "tag-key" {
				fields = append(fields, value)
			}
		}
		if f.Key == "all" {
			fields = append(fields, x.Name, x.Description)
		}
	default:
		return false, invalidParameter("roost does not support the filter %q of ListSecrets", f.Key)
	}
	met := slices.ContainsFunc(f.Values, func(want string) bool {
		bare, not := strings.CutPrefix(want, "!")
		has := slices.ContainsFunc(fields, func(field string) bool { return strings.HasPrefix(field, bare) })
		return has != not
	})
	return met, nil
}

// cut returns one page of a list and the token of the next.
func cut[T any](list []T, size *int, token string) ([]T, string, error) {
	return wire.Page(list, size, 100, token, wire.Errorf(http.StatusBadRequest, "InvalidNextTokenException", "Invalid token"))
}

// ListVersionsInput asks for the versions of a secret.
type ListVersionsInput struct {
	IDInput
	MaxResults        *int
	NextToken         string
	IncludeDeprecated bool
}

// ListVersionsOutput is the answer of ListSecretVersionIds.
type ListVersionsOutput struct {
	ARN       string
	Name      string
	Versions  []ListedVersion
	NextToken string `json:",omitempty"`
}

// ListedVersion is a version in a list.
type ListedVersion struct {
	VersionID     string   `json:"VersionId"`
	VersionStages []string `json:",omitempty"`
	CreatedDate   wire.Time
}

func (s *Secrets) listVersions(ctx context.Context, _ *wire.Call, in *ListVersionsInput) (*ListVersionsOutput, error) {
	out := &ListVersionsOutput{Versions: []ListedVersion{}}
	return out, s.config.DB.View(ctx, func(tx *store.Tx) error {
		x, err := s.must(tx, in.SecretID)
		if err != nil {
			return err
		}
		out.ARN, out.Name = x.ARN, x.Name
		for _, v := range x.Versions {
			if len(v.Stages) > 0 || in.IncludeDeprecated {
				out.Versions = append(out.Versions, ListedVersion{VersionID: v.ID, VersionStages: v.Stages, CreatedDate: v.Created})
			}
		}
		out.Versions, out.NextToken, err = cut(out.Versions, in.MaxResults, in.NextToken)
		return err
	})
}

// DeleteInput deletes a secret: after a window of 7 to 30 days in which it can
// be restored (30 when nothing is said), or at once.
type DeleteInput struct {
	IDInput
	RecoveryWindowInDays       *int
	ForceDeleteWithoutRecovery bool
}

// DeleteOutput says when the secret is gone.
type DeleteOutput struct {
	ARN          string
	Name         string
	DeletionDate wire.Time
}

func (s *Secrets) delete(ctx context.Context, _ *wire.Call, in *DeleteInput) (*DeleteOutput, error) {
	days := 30
	if in.RecoveryWindowInDays != nil {
		days = *in.RecoveryWindowInDays
		if in.ForceDeleteWithoutRecovery {
			return nil, invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
		}
	}
	if days < 7 || days > 30 {
		return nil, invalidParameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
	}
	out := &DeleteOutput{DeletionDate: s.now()}
	return out, s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		if in.ForceDeleteWithoutRecovery {
			x, err := s.find(tx, in.SecretID)
			if err != nil {
				return err
			}
			if x == nil { // which is no error (API Reference, "DeleteSecret")
				out.Name, out.ARN = in.SecretID, s.arnPrefix()+in.SecretID
				return nil
			}
			out.ARN, out.Name = x.ARN, x.Name
			return tx.Delete(kindSecret, x.Name)
		}
		x, err := s.live(tx, in.SecretID)
		if err != nil {
			return err
		}
		now := s.now()
		out.DeletionDate = wire.Time{Time: now.AddDate(0, 0, days)}
		out.ARN, out.Name, x.Deleted, x.Gone = x.ARN, x.Name, &now, &out.DeletionDate
		return tx.Put(kindSecret, x.Name, x)
	})
}

func (s *Secrets) restore(ctx context.Context, _ *wire.Call, in *IDInput) (*NamedOutput, error) {
	out := &NamedOutput{}
	return out, s.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		x, err := s.must(tx, in.SecretID)
		if err != nil {
			return err
		}
		out.ARN, out.Name, x.Deleted, x.Gone = x.ARN, x.Name, nil, nil
		return tx.Put(kindSecret, x.Name, x)
	})
}

// TagInput adds tags.
type TagInput struct {
	IDInput
	Tags []Tag `required:"true"`
}

// UntagInput removes tags.
type UntagInput struct {
	IDInput
	TagKeys []string `required:"true"`
}

// Empty is the output of operations that answer nothing.
type Empty struct{}

func checkTags(tags []Tag) error {
	if len(tags) > maxTags {
		return invalidParameter("A secret has up to %d tags.", maxTags)
	}
	for _, tag := range tags {
		if tag.Key == "" || len([]rune(tag.Key)) > 128 || len([]rune(tag.Value)) > 256 {
			return invalidParameter("A tag's key has 1 to 128 characters, its value up to 256.")
		}
		if strings.HasPrefix(tag.Key, "aws:") && !strings.HasPrefix(tag.Key, "aws:cloudformation:") {
			return invalidParameter("Tag keys that begin with aws: are reserved: %s", tag.Key)
		}
	}
	return nil
}

func (s *Secrets) tag(ctx context.Context, _ *wire.Call, in *TagInput) (*Empty, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	_, err := s.change(ctx, in.SecretID, func(x *secret) error {
		if x.Tags == nil {
			x.Tags = map[string]string{}
		}
		for _, tag := range in.Tags {
			x.Tags[tag.Key] = tag.Value
		}
		if len(x.Tags) > maxTags {
			return invalidParameter("A secret has up to %d tags.", maxTags)
		}
		return nil
	})
	return &Empty{}, err
}

func (s *Secrets) untag(ctx context.Context, _ *wire.Call, in *UntagInput) (*Empty, error) {
	_, err := s.change(ctx, in.SecretID, func(x *secret) error {
		for _, key := range in.TagKeys {
			delete(x.Tags, key)
		}
		return nil
	})
	return &Empty{}, err
}

// PutPolicyInput gives a secret a resource policy.
type PutPolicyInput struct {
	IDInput
	ResourcePolicy    string `required:"true"`
	BlockPublicPolicy bool
}

// PolicyOutput is the answer of GetResourcePolicy.
type PolicyOutput struct {
	ARN            string
	Name           string
	ResourcePolicy string `json:",omitempty"`
}

// maxPolicy is the length of a resource policy in characters.
const maxPolicy = 20480

func (s *Secrets) putPolicy(ctx context.Context, _ *wire.Call, in *PutPolicyInput) (*NamedOutput, error) {
	if len(in.ResourcePolicy) > maxPolicy {
		return nil, invalidParameter("A resource policy has up to %d characters.", maxPolicy)
	}
	if _, err := iam.ParseResource([]byte(in.ResourcePolicy)); err != nil {
		return nil, wire.Errorf(http.StatusBadRequest, "MalformedPolicyDocumentException", "This resource policy contains a syntax error: %v", err)
	}
	if in.BlockPublicPolicy && public(in.ResourcePolicy) {
		return nil, wire.Errorf(http.StatusBadRequest, "PublicPolicyException", "You can't attach a resource policy that allows broad access to the secret.")
	}
	x, err := s.change(ctx, in.SecretID, func(x *secret) error {
		x.Policy = in.ResourcePolicy
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &NamedOutput{ARN: x.ARN, Name: x.Name}, nil
}

// public reports whether a policy may allow something to everybody: a wildcard
// anywhere in its principals, whatever its conditions say.
func public(policy string) bool {
	var document struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(policy), &document) != nil {
		return true
	}
	type statement struct {
		Effect       string
		Principal    json.RawMessage
		NotPrincipal json.RawMessage
	}
	var list []statement
	if json.Unmarshal(document.Statement, &list) != nil {
		list = make([]statement, 1)
		if json.Unmarshal(document.Statement, &list[0]) != nil {
			return true
		}
	}
	return slices.ContainsFunc(list, func(s statement) bool {
		return s.Effect == "Allow" && (s.NotPrincipal != nil || strings.Contains(string(s.Principal), `"*"`))
	})
}

func (s *Secrets) getPolicy(ctx context.Context, _ *wire.Call, in *IDInput) (*PolicyOutput, error) {
	out := &PolicyOutput{}
	return out, s.config.DB.View(ctx, func(tx *store.Tx) error {
		x, err := s.live(tx, in.SecretID)
		if err == nil {
			out.ARN, out.Name, out.ResourcePolicy = x.ARN, x.Name, x.Policy
		}
		return err
	})
}

func (s *Secrets) deletePolicy(ctx context.Context, _ *wire.Call, in *IDInput) (*NamedOutput, error) {
	x, err := s.change(ctx, in.SecretID, func(x *secret) error {
		x.Policy = ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &NamedOutput{ARN: x.ARN, Name: x.Name}, nil
}

// PasswordInput says what a password is made of. Nothing means 32 characters of
// all kinds but the space, at least one of each.
type PasswordInput struct {
	PasswordLength          *int
	ExcludeCharacters       string
	ExcludeNumbers          bool
	ExcludePunctuation      bool
	ExcludeUppercase        bool
	ExcludeLowercase        bool
	IncludeSpace            bool
	RequireEachIncludedType *bool
}

// PasswordOutput is the answer of GetRandomPassword.
type PasswordOutput struct{ RandomPassword string }

// maxPassword is how long a password may be (API Reference).
const maxPassword = 4096

func (s *Secrets) randomPassword(_ context.Context, _ *wire.Call, in *PasswordInput) (*PasswordOutput, error) {
	length := 32
	if in.PasswordLength != nil {
		length = *in.PasswordLength
	}
	if length < 1 || length > maxPassword {
		return nil, invalidParameter("The password length must be between 1 and %d characters.", maxPassword)
	}
	kinds, err := in.kinds()
	if err != nil {
		return nil, err
	}
	var required []string
	if in.RequireEachIncludedType == nil || *in.RequireEachIncludedType {
		required = kinds
	}
	if len(required) > length {
		return nil, invalidParameter("The password length must be at least %d characters to have one of each type.", len(required))
	}
	// Each password of the right kinds is as likely as the others: whole ones are
	// drawn until one has them.
	for range maxDraws {
		password, err := s.pick(strings.Join(kinds, ""), length)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(required, func(kind string) bool { return !strings.ContainsAny(password, kind) }) {
			return &PasswordOutput{RandomPassword: password}, nil
		}
	}
	return nil, invalidParameter("no password of %d characters was found that has one of each type: ask for more characters", length)
}

// maxDraws bounds how many passwords are drawn. Of four characters of four kinds
// about one in eleven will do.
const maxDraws = 10000

// kinds are the characters of each kind that may be in a password.
func (in *PasswordInput) kinds() ([]string, error) {
	var kinds []string
	for _, kind := range []struct {
		characters string
		in         bool
	}{
		{letters, !in.ExcludeLowercase}, {strings.ToUpper(letters), !in.ExcludeUppercase}, {digits, !in.ExcludeNumbers},
		{punctuation, !in.ExcludePunctuation}, {" ", in.IncludeSpace},
	} {
		left := strings.Map(func(r rune) rune {
			if strings.ContainsRune(in.ExcludeCharacters, r) {
				return -1
			}
			return r
		}, kind.characters)
		if kind.in && left != "" {
			kinds = append(kinds, left)
		}
	}
	if len(kinds) == 0 {
		return nil, invalidParameter("No characters are left for the password: exclude fewer.")
	}
	return kinds, nil
}
