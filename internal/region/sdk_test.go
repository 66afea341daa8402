package region_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region"
	"github.com/seed-615d3599/roost/internal/region/lambda/isolation"
)

func TestAMissingSDKIsNamed(t *testing.T) {
	need.Tool(t, "node")
	app := t.TempDir()
	r := open(t, region.Config{Dir: t.TempDir(), App: app})
	for file, source := range map[string]string{
		"index.mjs": "import { S3Client } from '@aws-sdk/client-s3'\nexport const handler = async () => new S3Client({})\n",
		"index.js":  "const { S3Client } = require('@aws-sdk/client-s3')\nexports.handler = async () => new S3Client({})\n",
		"index.cjs": "exports.handler = async () => require('@aws-sdk/client-s3/deep')\n",
	} {
		r.create("nodejs22.x", "index.handler", file, source)
		got, failed := r.invoke(`{}`)
		if want := "npm install @aws-sdk/client-s3 in " + app + ","; failed != "Unhandled" || !strings.Contains(got, want) {
			t.Errorf("%s: no %q in %s %s", file, want, failed, got)
		}
		if file != "index.cjs" && !strings.Contains(got, "Runtime.ImportModuleError") {
			t.Errorf("%s: got %s", file, got)
		}
		r.remove()
	}
}

// remove takes back what create made.
func (r *opened) remove() {
	r.t.Helper()
	r.must("lambda", "DeleteFunction", object{"FunctionName": "f"}, nil)
	r.must("iam", "DeleteRole", object{"RoleName": "f"}, nil)
}

// appWithSDK makes the folder of an app, below the one whose node_modules have an
// SDK and a package that AWS's runtime does not bring.
func appWithSDK(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"app/cdk.json": "{}",
		"node_modules/@aws-sdk/client-x/package.json": `{"exports": {"import": "./index.mjs", "require": "./index.js"}}`,
		"node_modules/@aws-sdk/client-x/index.js":     "exports.name = require('helper')",
		"node_modules/@aws-sdk/client-x/index.mjs":    "import helper from 'helper'\nexport const name = helper + ' by import'",
		"node_modules/helper/index.js":                "module.exports = 'X of the app'",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "app")
}

func TestNodeFunctionsHaveTheSDKOfTheApp(t *testing.T) {
	need.Tool(t, "node")
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	helper := []string{executable, isolation.Argument}
	ways := map[string]region.Config{"plain": {}, "ahead": {Warm: 1}}
	if isolation.Probe(context.Background(), helper, t.TempDir()) == nil {
		ways["isolated"] = region.Config{Isolate: helper}
	}
	for way, config := range ways {
		t.Run(way, func(t *testing.T) {
			config.Dir, config.App = t.TempDir(), appWithSDK(t)
			r := open(t, config)
			for _, test := range []struct{ file, source, want string }{
				{"index.js", "const { name } = require('@aws-sdk/client-x')\nexports.handler = async () => name", `"X of the app"`},
				{"index.mjs", "import { name } from '@aws-sdk/client-x'\nexport const handler = async () => name", `"X of the app by import"`},
				{"index.js", "require('helper')\nexports.handler = async () => 1", "Cannot find module 'helper'"}, // it would not be there on AWS
				{"index.js", "exports.handler = async () => Object.keys(process.env).filter((name) => name.startsWith('_ROOST'))", "[]"},
			} {
				r.create("nodejs22.x", "index.handler", test.file, test.source)
				if got, _ := r.invoke(`{}`); !strings.Contains(got, test.want) {
					t.Errorf("%s: got %s, want %s", test.source, got, test.want)
				}
				r.remove()
			}
		})
	}
}

// A stack with a custom resource as CDK makes them: its function loads the SDK.
const customStack = `{"Resources": {
	"Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17",
		"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}}},
	"Provider": {"Type": "AWS::Lambda::Function", "Properties": {"Runtime": "nodejs22.x", "Handler": "index.handler",
		"Role": {"Fn::GetAtt": ["Role", "Arn"]}, "Timeout": 20, "Code": {"ZipFile": %q}}},
	"Custom": {"Type": "Custom::S3AutoDeleteObjects", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Provider", "Arn"]}}}}}`

const customProvider = `const { name } = require('@aws-sdk/client-x')
exports.handler = async (event) => {
  const { StackId, RequestId, LogicalResourceId } = event
  const body = JSON.stringify({ Status: 'SUCCESS', PhysicalResourceId: name, StackId, RequestId, LogicalResourceId })
  await fetch(event.ResponseURL, { method: 'PUT', body })
}`

// A custom resource whose function can't be loaded fails at once, and leaves
// nothing to delete; with the SDK in the app's node_modules it is made and deleted.
func TestCustomResourcesWithAndWithoutTheSDK(t *testing.T) {
	need.Tool(t, "node")
	without, with := t.TempDir(), appWithSDK(t)
	for _, test := range []struct{ app, status, reason string }{
		{without, "ROLLBACK_COMPLETE", "run npm install @aws-sdk/client-x in " + without},
		{with, "CREATE_COMPLETE", ""},
	} {
		r := open(t, region.Config{Dir: t.TempDir(), App: test.app})
		in := object{"StackName": "s", "TemplateBody": fmt.Sprintf(customStack, customProvider), "Capabilities": []string{"CAPABILITY_IAM"}}
		var made struct {
			StackID string `json:"StackId"`
		}
		r.must("cloudformation", "CreateStack", in, &made)
		if status := r.rest(made.StackID); status != test.status {
			t.Errorf("created: %s", status)
		}
		var out struct {
			StackEvents []struct{ ResourceStatusReason string }
		}
		r.must("cloudformation", "DescribeStackEvents", object{"StackName": made.StackID}, &out)
		if events := fmt.Sprint(out); !strings.Contains(events, test.reason) {
			t.Errorf("no %q in %s", test.reason, events)
		}
		r.must("cloudformation", "DeleteStack", object{"StackName": "s"}, nil)
		if status := r.rest(made.StackID); status != "DELETE_COMPLETE" {
			t.Errorf("deleted: %s", status)
		}
	}
}

// rest waits until a stack rests, and returns its status.
func (r *opened) rest(stack string) string {
	r.t.Helper()
	for {
		var out struct {
			Stacks []struct{ StackStatus string }
		}
		r.must("cloudformation", "DescribeStacks", object{"StackName": stack}, &out)
		if status := out.Stacks[0].StackStatus; !strings.HasSuffix(status, "_IN_PROGRESS") {
			return status
		}
		<-time.After(5 * time.Millisecond)
	}
}
