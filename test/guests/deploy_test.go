package guests

import (
	"archive/zip"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/seed-615d3599/roost/internal/build"
	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region"
)

// zips makes what is deployed. It returns files by their keys.
func zips(t *testing.T) map[string]string {
	t.Helper()
	modules := need.Installed(t, "guests", "node", "node_modules")
	files := map[string]string{"layer.zip": zipped(t, need.Installed(t, "guests", "layer"))}
	node := t.TempDir() // the bundler looks for packages beside the sources
	if err := errors.Join(os.CopyFS(node, os.DirFS("node")), os.Symlink(modules, filepath.Join(node, "node_modules"))); err != nil {
		t.Fatal(err)
	}
	for app, functions := range map[string][]build.Function{
		"go":     {inGo("nethttp"), inGo("chi"), inGo("gin")},
		node:     {inNode("express"), inNode("fastify"), inNode("hono")},
		"python": {inPython("fastapi"), inPython("powertools")},
	} {
		builder := build.New(build.Config{App: app, Cache: t.TempDir(), Environ: append(os.Environ(), "GOPROXY=off")})
		results, err := builder.Build(t.Context(), functions)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range results {
			files[one.ID+".zip"] = one.Path
		}
	}
	return files
}

func inGo(name string) build.Function {
	return build.Function{ID: name, Kind: build.Go, Entry: name, Out: "bootstrap", Handler: "bootstrap", Runtime: "provided.al2023"}
}

func inNode(name string) build.Function {
	return build.Function{ID: name, Kind: build.Node, Entry: name + ".js", Out: name + ".js", Handler: name + ".handler",
		Runtime: "nodejs22.x", Bundle: &build.Bundle{}}
}

func inPython(name string) build.Function {
	file := "with_" + name
	return build.Function{ID: name, Kind: build.Python, Root: ".", Entry: file + ".py", Out: file + ".py", Handler: file + ".handler"}
}

// zipped puts a folder into a zip.
func zipped(t *testing.T, folder string) string {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "layer.zip"))
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(file)
	if err := errors.Join(w.AddFS(os.DirFS(folder)), w.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

// bucket holds the zips.
const bucket = "guests"

// patience bounds the deployment, and pause is how often it is looked at.
const (
	patience = 5 * time.Minute
	pause    = 20 * time.Millisecond
)

// deploy brings a region up, creates the stack as any tool would, and returns
// its outputs.
func deploy(t *testing.T, files map[string]string) map[string]string {
	t.Helper()
	r, err := region.Start(t.Context(), region.Config{Dir: stateDir(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	config := aws.Config{
		Region: r.Name, BaseEndpoint: aws.String(r.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(r.AccessKeyID, r.SecretAccessKey, ""),
	}
	upload(t, config, files)
	return create(t, cloudformation.NewFromConfig(config))
}

// stateDir is a folder whose name is short enough for a socket's.
func stateDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "guests")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func upload(t *testing.T, config aws.Config, files map[string]string) {
	t.Helper()
	client := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String(bucket)}); err != nil {
		t.Fatal(err)
	}
	for key, name := range files {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: file})
		if err := errors.Join(err, file.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func create(t *testing.T, client *cloudformation.Client) map[string]string {
	t.Helper()
	template, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	name := aws.String("guests")
	_, err = client.CreateStack(t.Context(), &cloudformation.CreateStackInput{
		StackName: name, TemplateBody: aws.String(string(template)),
		Capabilities: []types.Capability{types.CapabilityCapabilityIam, types.CapabilityCapabilityAutoExpand},
		Parameters: []types.Parameter{
			{ParameterKey: aws.String("Code"), ParameterValue: aws.String(bucket)},
			{ParameterKey: aws.String("PythonRuntime"), ParameterValue: aws.String(pythonRuntime(t))},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	described := &cloudformation.DescribeStacksInput{StackName: name}
	created := cloudformation.NewStackCreateCompleteWaiter(client, func(o *cloudformation.StackCreateCompleteWaiterOptions) {
		o.MinDelay, o.MaxDelay = pause, pause
	})
	stacks, err := created.WaitForOutput(t.Context(), described, patience)
	if err != nil {
		t.Fatalf("%v: %s", err, failures(t, client, name))
	}
	outputs := map[string]string{}
	for _, one := range stacks.Stacks[0].Outputs {
		outputs[*one.OutputKey] = *one.OutputValue
	}
	return outputs
}

// failures says why the stack could not be created.
func failures(t *testing.T, client *cloudformation.Client, stack *string) string {
	t.Helper()
	out, err := client.DescribeStackEvents(t.Context(), &cloudformation.DescribeStackEventsInput{StackName: stack})
	if err != nil {
		return err.Error()
	}
	var said []string
	for _, event := range out.StackEvents {
		if event.ResourceStatus == types.ResourceStatusCreateFailed {
			said = append(said, *event.LogicalResourceId+": "+aws.ToString(event.ResourceStatusReason))
		}
	}
	return strings.Join(said, "\n")
}

// pythonRuntime is the runtime of the Python for which the packages were
// installed: parts of them are compiled.
func pythonRuntime(t *testing.T) string {
	t.Helper()
	out, err := exec.Command(need.Tool(t, "python3"), "-c", "import sys; print('python%d.%d' % sys.version_info[:2])").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
