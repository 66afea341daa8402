// Package assembly reads and writes cloud assemblies: folders with the
// templates of an app's stacks, what has to be uploaded before they can be
// deployed (assets), and a manifest that says how all belongs together.
//
// Read takes any of three kinds:
//
//   - those of CDK version 1 and of SST before 1.0, whose manifest lists assets
//     as metadata, and whose templates get bucket and key of each as parameters;
//   - those of CDK version 2, which have a <stack>.assets.json for each stack,
//     and name bucket and key in the template;
//   - Roost's own, which are of the second kind and name in addition, under
//     metadata of type "roost:secret", the environment variable for each
//     parameter that is a secret.
//
// FromTemplate makes one of a lone template, such as "aws cloudformation
// package" writes.
//
//	a, err := assembly.Read("cdk.out")
//	for _, stack := range a.Stacks { // each after those it depends on
//		for _, asset := range stack.Assets {
//			bucket, key := asset.Location(account, region)
//			err := asset.Copy(w) // the bytes to upload there
//		}
//		template, err := stack.Template()
//	}
//
// A deployer that uploads to another bucket than the one that is named puts
// its name into the template with Stack.TemplateFor.
//
// Finish makes a complete assembly of what an app's program wrote and of the
// zips that were built for it. What the program writes is said in the comment
// of package roost.
//
// The formats are those of CDK's cloud-assembly-schema:
// https://github.com/aws/aws-cdk-cli/tree/main/packages/%40aws-cdk/cloud-assembly-schema
package assembly

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Assembly is a cloud assembly that was read.
type Assembly struct {
	Dir     string // the folder
	Version string // of the schema, as in "36.0.0"; empty for a lone template
	// Stacks are those of nested assemblies too, each after the ones that it
	// depends on, otherwise in the order of their ids.
	Stacks []*Stack
}

// Stack is one CloudFormation stack of an assembly.
type Stack struct {
	ID           string // the artifact's id, within nested assemblies with their ids before it and a slash
	Name         string // in CloudFormation
	TemplateFile string // path of the template, JSON or YAML
	Account      string // 12 digits; empty: any
	Region       string // such as us-east-1; empty: any
	Assets       []*Asset
	// TemplateAsset is how the manifest would have the template itself
	// uploaded; nil where it doesn't say.
	TemplateAsset         *Asset
	Parameters            map[string]string // values that the manifest gives
	Secrets               []Secret
	Tags                  map[string]string
	Dependencies          []string // ids of the stacks that have to be there first
	TerminationProtection bool
	NotificationARNs      []string // of topics that get the stack's events
}

// Secret is a parameter whose value is with the person who deploys.
type Secret struct {
	Parameter string // logical id in the template
	Variable  string // the environment variable that has the value
}

// Stack returns the stack of a name or an id.
func (a *Assembly) Stack(name string) (*Stack, bool) {
	for _, s := range a.Stacks {
		if s.Name == name || s.ID == name {
			return s, true
		}
	}
	return nil, false
}

// Template returns the template as it is in the assembly.
func (s *Stack) Template() ([]byte, error) { return os.ReadFile(s.TemplateFile) }

// TemplateFor returns the template with another bucket in the place of the ones
// that it names for its assets. account and region are those deployed to. Where
// assets travel by parameters, or bucket is the one that is named, nothing
// changes.
func (s *Stack) TemplateFor(bucket, account, region string) ([]byte, error) {
	text, err := s.Template()
	if err != nil {
		return nil, err
	}
	for _, asset := range s.Assets {
		if asset.Bucket == "" {
			continue
		}
		pattern, err := bucketPattern(asset.Bucket, account, region)
		if err != nil {
			return nil, err
		}
		text = pattern.ReplaceAllLiteral(text, []byte(bucket))
	}
	return text, nil
}

// bucketPattern finds a bucket's name in a JSON template in each way in which
// CDK writes the pseudo parameters in it: inside Fn::Sub, between the parts of
// Fn::Join, or filled in for one account and region.
func bucketPattern(bucket, account, region string) (*regexp.Regexp, error) {
	pattern := regexp.QuoteMeta(bucket)
	for name, value := range map[string]string{"AccountId": account, "Region": region} {
		marker := regexp.QuoteMeta("${AWS::" + name + "}")
		joined := `"\s*,\s*\{\s*"Ref"\s*:\s*"AWS::` + name + `"\s*\}\s*,\s*"`
		pattern = strings.ReplaceAll(pattern, marker, "(?:"+marker+"|"+joined+"|"+regexp.QuoteMeta(value)+")")
	}
	return regexp.Compile(pattern)
}

// FromTemplate returns an assembly of one stack whose template is a file. It has
// no assets: a template that names files to upload has to go through "aws
// cloudformation package" first.
func FromTemplate(file, stackName string) (*Assembly, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("the template can't be read: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s is a folder: name a template file, or pass the folder as an assembly", file)
	}
	s := &Stack{ID: stackName, Name: stackName, TemplateFile: file}
	return &Assembly{Dir: filepath.Dir(file), Stacks: []*Stack{s}}, nil
}
