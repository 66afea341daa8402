// Package ecr keeps repositories of Amazon ECR as records: as far as
// bootstrapping and templates create, describe and delete them.
//
//	e := ecr.New(ecr.Config{Account: "123456789012", Region: "us-east-1", DB: db})
//	service := e.Service() // for the edge and for CloudFormation
//
// There are no images: functions run from zip files. Operations that log in,
// push or pull are refused by name.
package ecr

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"time"

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
}

// ECR is the service. Make it with New.
type ECR struct {
	config  Config
	service *wire.Service
}

// New returns the service.
func New(config Config) *ECR {
	if config.Now == nil {
		config.Now = time.Now
	}
	e := &ECR{config: config}
	e.service = e.describe()
	return e
}

// Close ends the service. Nothing of it runs in the background.
func (e *ECR) Close() error { return nil }

// Service returns the operations.
func (e *ECR) Service() *wire.Service { return e.service }

func (e *ECR) describe() *wire.Service {
	s := &wire.Service{Name: "ecr", Protocol: wire.JSON, Target: "AmazonEC2ContainerRegistry_V20150921"}
	s.Operations = []wire.Operation{
		wire.Op("CreateRepository", e.create, on[createInput](e)),
		wire.Op("DescribeRepositories", e.describeRepositories, wire.Targets(e.describeTargets)),
		wire.Op("DeleteRepository", e.delete, on[deleteInput](e)),
		wire.Op("DescribeImages", e.describeImages, on[imagesInput](e)),
		wire.Op("ListImages", e.listImages, on[imagesInput](e)),
		wire.Op("PutImageTagMutability", e.putMutability, on[mutabilityInput](e)),
		wire.Op("PutImageScanningConfiguration", e.putScanning, on[scanningInput](e)),
		wire.Op("SetRepositoryPolicy", e.setPolicy, on[policyInput](e)),
		wire.Op("GetRepositoryPolicy", e.getPolicy, on[repositoryInput](e)),
		wire.Op("DeleteRepositoryPolicy", e.deletePolicy, on[repositoryInput](e)),
		wire.Op("PutLifecyclePolicy", e.putLifecycle, on[lifecycleInput](e)),
		wire.Op("GetLifecyclePolicy", e.getLifecycle, on[repositoryInput](e)),
		wire.Op("DeleteLifecyclePolicy", e.deleteLifecycle, on[repositoryInput](e)),
		wire.Op("TagResource", e.tag, onARN[tagInput]()),
		wire.Op("UntagResource", e.untag, onARN[untagInput]()),
		wire.Op("ListTagsForResource", e.listTags, onARN[arnInput]()),
	}
	s.Operations = append(s.Operations, wire.Refused(func(operation string) error {
		return wire.Errorf(http.StatusBadRequest, "UnsupportedCommandException", "roost does not support %s of ECR: there are no container images, use functions with a zip", operation)
	}, "GetAuthorizationToken", "PutImage", "InitiateLayerUpload", "BatchGetImage", "BatchDeleteImage", "BatchCheckLayerAvailability", "GetDownloadUrlForLayer")...)
	return s
}

const kindRepository = "ecr-repository" // by name

// repository is a repository as it is kept and, but for the last members, told.
type repository struct {
	RepositoryArn              string      `json:"repositoryArn"`
	RegistryID                 string      `json:"registryId"`
	RepositoryName             string      `json:"repositoryName"`
	RepositoryURI              string      `json:"repositoryUri"`
	CreatedAt                  wire.Time   `json:"createdAt"`
	ImageTagMutability         string      `json:"imageTagMutability"`
	ImageScanningConfiguration *scanning   `json:"imageScanningConfiguration"`
	EncryptionConfiguration    *encryption `json:"encryptionConfiguration"`
}

type kept struct {
	repository
	Policy    string `json:"policy,omitempty"`
	Lifecycle string `json:"lifecycle,omitempty"`
	Tags      []Tag  `json:"tags,omitempty"`
}

type scanning struct {
	ScanOnPush bool `json:"scanOnPush"`
}

type encryption struct {
	EncryptionType string `json:"encryptionType"`
	KMSKey         string `json:"kmsKey,omitempty"`
}

// Tag is a tag of a repository.
type Tag struct {
	Key   string
	Value string
}

func (e *ECR) arn(name string) string {
	return "arn:aws:ecr:" + e.config.Region + ":" + e.config.Account + ":repository/" + name
}

// repositoryInput names a repository.
type repositoryInput struct {
	RegistryID     string `json:"registryId"`
	RepositoryName string `json:"repositoryName" required:"true"`
}

func (in repositoryInput) name() string { return in.RepositoryName }

func on[In interface{ name() string }](e *ECR) wire.Option {
	return wire.Targets(func(_ *wire.Call, in *In) []wire.Target { return []wire.Target{e.target((*in).name())} })
}

func (e *ECR) target(name string) wire.Target {
	t := wire.Target{Resource: e.arn(name)}
	err := e.config.DB.View(context.Background(), func(tx *store.Tx) error {
		var x kept
		_, err := tx.Get(kindRepository, name, &x)
		t.Policy = x.Policy
		return err
	})
	if err != nil {
		t.Policy = wire.Unreadable
	}
	return t
}

// find reads a repository of this account's registry.
func (e *ECR) find(tx *store.Tx, in repositoryInput) (*kept, error) {
	var x kept
	found, err := tx.Get(kindRepository, in.RepositoryName, &x)
	if err != nil {
		return nil, err
	}
	if !found || in.RegistryID != "" && in.RegistryID != e.config.Account {
		return nil, wire.Errorf(http.StatusBadRequest, "RepositoryNotFoundException", "The repository with name '%s' does not exist in the registry with id '%s'", in.RepositoryName, e.config.Account)
	}
	return &x, nil
}

func (e *ECR) change(ctx context.Context, in repositoryInput, f func(*kept) error) error {
	return e.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		x, err := e.find(tx, in)
		if err == nil {
			err = f(x)
		}
		if err != nil {
			return err
		}
		return tx.Put(kindRepository, x.RepositoryName, x)
	})
}

type createInput struct {
	repositoryInput
	Tags                       []Tag       `json:"tags"`
	ImageTagMutability         string      `json:"imageTagMutability"`
	ImageScanningConfiguration *scanning   `json:"imageScanningConfiguration"`
	EncryptionConfiguration    *encryption `json:"encryptionConfiguration"`
}

type repositoryOutput struct {
	Repository repository `json:"repository"`
}

func (e *ECR) create(ctx context.Context, _ *wire.Call, in *createInput) (*repositoryOutput, error) {
	if valid, err := regexp.MatchString(`^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$`, in.RepositoryName); err != nil || !valid || len(in.RepositoryName) < 2 || len(in.RepositoryName) > 256 {
		return nil, invalid("Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''")
	}
	if in.ImageTagMutability == "" {
		in.ImageTagMutability = "MUTABLE"
	}
	if err := checkMutability(in.ImageTagMutability); err != nil {
		return nil, err
	}
	x := kept{Tags: in.Tags, repository: repository{
		RepositoryArn: e.arn(in.RepositoryName), RegistryID: e.config.Account, RepositoryName: in.RepositoryName,
		RepositoryURI:      e.config.Account + ".dkr.ecr." + e.config.Region + ".amazonaws.com/" + in.RepositoryName,
		CreatedAt:          wire.Moment(e.config.Now()),
		ImageTagMutability: in.ImageTagMutability, ImageScanningConfiguration: in.ImageScanningConfiguration, EncryptionConfiguration: in.EncryptionConfiguration,
	}}
	if x.ImageScanningConfiguration == nil {
		x.ImageScanningConfiguration = &scanning{}
	}
	if x.EncryptionConfiguration == nil {
		x.EncryptionConfiguration = &encryption{EncryptionType: "AES256"}
	}
	return &repositoryOutput{x.repository}, e.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		found, err := tx.Get(kindRepository, in.RepositoryName, &kept{})
		if err != nil {
			return err
		}
		if found {
			return wire.Errorf(http.StatusBadRequest, "RepositoryAlreadyExistsException", "The repository with name '%s' already exists in the registry with id '%s'", in.RepositoryName, e.config.Account)
		}
		return tx.Put(kindRepository, in.RepositoryName, x)
	})
}

func invalid(format string, args ...any) error {
	return wire.Errorf(http.StatusBadRequest, "InvalidParameterException", format, args...)
}

func checkMutability(value string) error {
	if value != "MUTABLE" && value != "IMMUTABLE" {
		return invalid("roost does not support the image tag mutability %q: use MUTABLE or IMMUTABLE", value)
	}
	return nil
}

type describeInput struct {
	RegistryID      string   `json:"registryId"`
	RepositoryNames []string `json:"repositoryNames"`
	NextToken       string   `json:"nextToken"`
	MaxResults      *int     `json:"maxResults"`
}

type describeOutput struct {
	Repositories []repository `json:"repositories"`
	NextToken    string       `json:"nextToken,omitempty"`
}

// maxPage is the most that a page may have (API Reference, "DescribeRepositories").
const maxPage = 1000

// cut returns one page of a list and the token of the next.
func cut[T any](list []T, size *int, token string) ([]T, string, error) {
	return wire.Page(list, size, maxPage, token, invalid("Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'"))
}

func (e *ECR) describeTargets(_ *wire.Call, in *describeInput) []wire.Target {
	if len(in.RepositoryNames) == 0 {
		return []wire.Target{{Resource: e.arn("*")}}
	}
	targets := make([]wire.Target, len(in.RepositoryNames))
	for i, name := range in.RepositoryNames {
		targets[i] = e.target(name)
	}
	return targets
}

func (e *ECR) describeRepositories(ctx context.Context, _ *wire.Call, in *describeInput) (*describeOutput, error) {
	out := &describeOutput{Repositories: []repository{}}
	return out, e.config.DB.View(ctx, func(tx *store.Tx) error {
		for _, name := range in.RepositoryNames {
			x, err := e.find(tx, repositoryInput{RegistryID: in.RegistryID, RepositoryName: name})
			if err != nil {
				return err
			}
			out.Repositories = append(out.Repositories, x.repository)
		}
		if len(in.RepositoryNames) > 0 {
			return nil
		}
		all, err := store.All[kept](tx, kindRepository, "")
		if err != nil {
			return err
		}
		page, next, err := cut(all, in.MaxResults, in.NextToken)
		for _, x := range page {
			out.Repositories = append(out.Repositories, x.repository)
		}
		out.NextToken = next
		return err
	})
}

type deleteInput struct {
	repositoryInput
	Force bool `json:"force"`
}

func (e *ECR) delete(ctx context.Context, _ *wire.Call, in *deleteInput) (*repositoryOutput, error) {
	out := &repositoryOutput{}
	return out, e.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		x, err := e.find(tx, in.repositoryInput)
		if err != nil {
			return err
		}
		out.Repository = x.repository
		return tx.Delete(kindRepository, in.RepositoryName)
	})
}

type mutabilityInput struct {
	repositoryInput
	ImageTagMutability string `json:"imageTagMutability" required:"true"`
}

func (e *ECR) putMutability(ctx context.Context, _ *wire.Call, in *mutabilityInput) (*mutabilityInput, error) {
	if err := checkMutability(in.ImageTagMutability); err != nil {
		return nil, err
	}
	return in, e.change(ctx, in.repositoryInput, func(x *kept) error {
		x.ImageTagMutability = in.ImageTagMutability
		return nil
	})
}

type scanningInput struct {
	repositoryInput
	ImageScanningConfiguration scanning `json:"imageScanningConfiguration"`
}

func (e *ECR) putScanning(ctx context.Context, _ *wire.Call, in *scanningInput) (*scanningInput, error) {
	return in, e.change(ctx, in.repositoryInput, func(x *kept) error {
		x.ImageScanningConfiguration = &in.ImageScanningConfiguration
		return nil
	})
}

type policyInput struct {
	repositoryInput
	PolicyText string `json:"policyText" required:"true"`
	Force      bool   `json:"force"`
}

type policyOutput struct {
	RegistryID     string `json:"registryId"`
	RepositoryName string `json:"repositoryName"`
	PolicyText     string `json:"policyText"`
}

func (e *ECR) setPolicy(ctx context.Context, _ *wire.Call, in *policyInput) (*policyOutput, error) {
	if _, err := iam.ParseResource([]byte(withResource(in.PolicyText))); err != nil {
		return nil, invalid("Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided': %v", err)
	}
	return &policyOutput{e.config.Account, in.RepositoryName, in.PolicyText}, e.change(ctx, in.repositoryInput, func(x *kept) error {
		x.Policy = withResource(in.PolicyText)
		return nil
	})
}

func (e *ECR) getPolicy(ctx context.Context, _ *wire.Call, in *repositoryInput) (*policyOutput, error) {
	out := &policyOutput{RegistryID: e.config.Account, RepositoryName: in.RepositoryName}
	return out, e.config.DB.View(ctx, func(tx *store.Tx) error {
		x, err := e.find(tx, *in)
		if err == nil && x.Policy == "" {
			err = wire.Errorf(http.StatusBadRequest, "RepositoryPolicyNotFoundException", "Repository policy does not exist for the repository with name '%s' in the registry with id '%s'", in.RepositoryName, e.config.Account)
		}
		if err == nil {
			out.PolicyText = x.Policy
		}
		return err
	})
}

func (e *ECR) deletePolicy(ctx context.Context, _ *wire.Call, in *repositoryInput) (*policyOutput, error) {
	out := &policyOutput{RegistryID: e.config.Account, RepositoryName: in.RepositoryName}
	return out, e.change(ctx, *in, func(x *kept) error {
		out.PolicyText, x.Policy = x.Policy, ""
		return nil
	})
}

type lifecycleInput struct {
	repositoryInput
	LifecyclePolicyText string `json:"lifecyclePolicyText" required:"true"`
}

type lifecycleOutput struct {
	RegistryID          string `json:"registryId"`
	RepositoryName      string `json:"repositoryName"`
	LifecyclePolicyText string `json:"lifecyclePolicyText"`
}

func (e *ECR) putLifecycle(ctx context.Context, _ *wire.Call, in *lifecycleInput) (*lifecycleOutput, error) {
	return &lifecycleOutput{e.config.Account, in.RepositoryName, in.LifecyclePolicyText}, e.change(ctx, in.repositoryInput, func(x *kept) error {
		x.Lifecycle = in.LifecyclePolicyText
		return nil
	})
}

func (e *ECR) getLifecycle(ctx context.Context, _ *wire.Call, in *repositoryInput) (*lifecycleOutput, error) {
	out := &lifecycleOutput{RegistryID: e.config.Account, RepositoryName: in.RepositoryName}
	return out, e.config.DB.View(ctx, func(tx *store.Tx) error {
		x, err := e.find(tx, *in)
		if err == nil && x.Lifecycle == "" {
			err = wire.Errorf(http.StatusBadRequest, "LifecyclePolicyNotFoundException", "Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'", in.RepositoryName, e.config.Account)
		}
		if err == nil {
			out.LifecyclePolicyText = x.Lifecycle
		}
		return err
	})
}

func (e *ECR) deleteLifecycle(ctx context.Context, _ *wire.Call, in *repositoryInput) (*lifecycleOutput, error) {
	out := &lifecycleOutput{RegistryID: e.config.Account, RepositoryName: in.RepositoryName}
	return out, e.change(ctx, *in, func(x *kept) error {
		out.LifecyclePolicyText, x.Lifecycle = x.Lifecycle, ""
		return nil
	})
}

// arnInput names a repository by its ARN.
type arnInput struct {
	ResourceArn string `json:"resourceArn" required:"true"`
}

func (in arnInput) resource() string { return in.ResourceArn }

func onARN[In interface{ resource() string }]() wire.Option {
	return wire.On(func(_ *wire.Call, in *In) string { return (*in).resource() })
}

func (e *ECR) named(in arnInput) repositoryInput {
	prefix := e.arn("")
	if len(in.ResourceArn) < len(prefix) || in.ResourceArn[:len(prefix)] != prefix {
		return repositoryInput{RepositoryName: in.ResourceArn}
	}
	return repositoryInput{RepositoryName: in.ResourceArn[len(prefix):]}
}

type tagInput struct {
	arnInput
	Tags []Tag `json:"tags" required:"true"`
}

func (e *ECR) tag(ctx context.Context, _ *wire.Call, in *tagInput) (*empty, error) {
	return &empty{}, e.change(ctx, e.named(in.arnInput), func(x *kept) error {
		for _, tag := range in.Tags {
			x.Tags = slices.DeleteFunc(x.Tags, func(t Tag) bool { return t.Key == tag.Key })
			x.Tags = append(x.Tags, tag)
		}
		return nil
	})
}

type untagInput struct {
	arnInput
	TagKeys []string `json:"tagKeys" required:"true"`
}

func (e *ECR) untag(ctx context.Context, _ *wire.Call, in *untagInput) (*empty, error) {
	return &empty{}, e.change(ctx, e.named(in.arnInput), func(x *kept) error {
		x.Tags = slices.DeleteFunc(x.Tags, func(t Tag) bool { return slices.Contains(in.TagKeys, t.Key) })
		return nil
	})
}

type tagsOutput struct {
	Tags []Tag `json:"tags"`
}

func (e *ECR) listTags(ctx context.Context, _ *wire.Call, in *arnInput) (*tagsOutput, error) {
	out := &tagsOutput{Tags: []Tag{}}
	return out, e.config.DB.View(ctx, func(tx *store.Tx) error {
		x, err := e.find(tx, e.named(*in))
		if err == nil {
			out.Tags = append(out.Tags, x.Tags...)
		}
		return err
	})
}
