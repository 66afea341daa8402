package sam_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/cfn/eval"
	"github.com/seed-615d3599/roost/cfn/sam"
	"github.com/seed-615d3599/roost/cfn/tree"
	"github.com/seed-615d3599/roost/internal/need"
)

// oracle are templates that AWS SAM's translator and this package must make
// the same of, but for the OpenAPI document of an API.
func oracle() map[string]string {
	return map[string]string{
		"function": `
Parameters:
  Key: {Type: String, Default: code.zip}
  Stage: {Type: String, Default: live-2_x}
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Managed: {Type: AWS::IAM::ManagedPolicy}
  Layer:
    Type: AWS::Serverless::LayerVersion
    Condition: Yes1
    Properties: {ContentUri: s3://b/layer.zip, CompatibleRuntimes: [nodejs22.x], Description: "é \"x\" \x7f \n😀", RetentionPolicy: delete}
  Fn:
    Type: AWS::Serverless::Function
    DependsOn: Queue
    Metadata: {by: hand}
    Properties:
      CodeUri: {Bucket: b, Key: !Ref Key, Version: v}
      Handler: h
      Runtime: nodejs22.x
      MemorySize: 512
      Environment: {Variables: {A: b, C: !Ref Queue}}
      Tracing: Active
      VpcConfig: {SubnetIds: [s]}
      Tags: {team: a}
      AutoPublishAlias: !Ref Stage
      VersionDescription: first
      ProvisionedConcurrencyConfig: {ProvisionedConcurrentExecutions: 1}
      DeadLetterQueue: {Type: SNS, TargetArn: !GetAtt Queue.Arn}
      PermissionsBoundary: arn:aws:iam::123456789012:policy/b
      RolePath: /x/
      FunctionUrlConfig: {AuthType: NONE, Cors: {AllowOrigins: ['*']}, InvokeMode: BUFFERED}
      Policies:
        - AWSLambdaBasicExecutionRole
        - !Ref Managed
        - S3ReadPolicy: {BucketName: !Ref Queue}
        - Statement: [{Effect: Allow, Action: 'sqs:SendMessage', Resource: !GetAtt Queue.Arn}]
Conditions: {Yes1: !Equals [a, a]}
Outputs:
  Alias: {Value: !Ref Fn.Alias}
  Version: {Value: !Sub '${Fn.Version}'}
  Layer: {Value: !Sub '${Layer}'}
`,
		"policy templates": `
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: x
      Handler: h
      Runtime: nodejs22.x
      Policies:
        - AWSSecretsManagerGetSecretValuePolicy: {SecretArn: a}
        - CloudWatchPutMetricPolicy: {}
        - DynamoDBCrudPolicy: {TableName: a}
        - DynamoDBReadPolicy: {TableName: a}
        - DynamoDBWritePolicy: {TableName: a}
        - LambdaInvokePolicy: {FunctionName: a}
        - S3CrudPolicy: {BucketName: a}
        - S3WritePolicy: {BucketName: a}
        - S3FullAccessPolicy: {BucketName: a}
        - SNSPublishMessagePolicy: {TopicName: a}
        - SQSPollerPolicy: {QueueName: a}
        - SQSSendMessagePolicy: {QueueName: a}
        - SSMParameterReadPolicy: {ParameterName: a}
        - SSMParameterWithSlashPrefixReadPolicy: {ParameterName: /a}
        - StepFunctionsExecutionPolicy: {StateMachineName: a}
        - VPCAccessPolicy: {}
        - EventBridgePutEventsPolicy: {EventBusName: a}
        - KMSDecryptPolicy: {KeyId: a}
        - KMSEncryptPolicy: {KeyId: a}
`,
		"implicit API": `
Globals:
  Function: {Timeout: 5, Runtime: nodejs22.x, Tags: {g: h}, Environment: {Variables: {A: global, B: global}}}
  HttpApi: {StageVariables: {v: w}, Tags: {t: u}}
Conditions: {One: !Equals [a, a], Two: !Equals [a, b]}
Resources:
  A:
    Type: AWS::Serverless::Function
    Condition: One
    DeletionPolicy: Retain
    Properties:
      InlineCode: x
      Handler: h
      Environment: {Variables: {B: local}}
      Events:
        Get: {Type: HttpApi, Properties: {Path: '/items/{id}/', Method: get, RouteSettings: {ThrottlingBurstLimit: 3}}}
        Any: {Type: HttpApi, Properties: {Path: /any, Method: ANY}}
  B:
    Type: AWS::Serverless::Function
    Condition: Two
    Properties:
      InlineCode: x
      Handler: h
      Events:
        All: {Type: HttpApi}
        Other: {Type: HttpApi, Properties: {Path: /other, Method: post}}
`,
		"API": `
Parameters: {Domain: {Type: String, Default: api.example.com}}
Resources:
  Authorizer: {Type: AWS::Lambda::Function, Properties: {Handler: x}}
  Named:
    Type: AWS::Serverless::HttpApi
    Properties: {StageName: with-dash, CorsConfiguration: true}
  Api:
    Type: AWS::Serverless::HttpApi
    DependsOn: Authorizer
    Properties:
      StageName: prod
      AccessLogSettings: {DestinationArn: arn, Format: x}
      DefaultRouteSettings: {ThrottlingBurstLimit: 5}
      Tags: {t: v}
      Domain: {DomainName: !Ref Domain, CertificateArn: arn:cert, BasePath: [/v1-a, two], SecurityPolicy: TLS_1_2}
      Auth:
        DefaultAuthorizer: Custom
        Authorizers:
          Custom: {FunctionArn: !GetAtt Authorizer.Arn, AuthorizerPayloadFormatVersion: '2.0', EnableFunctionDefaultPermissions: true}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: x
      Handler: index.handler
      Runtime: nodejs22.x
      AutoPublishAlias: live
      Role: arn:aws:iam::123456789012:role/r
      Events:
        Default: {Type: HttpApi, Properties: {ApiId: !Ref Api, Path: /a, Method: get}}
        Other: {Type: HttpApi, Properties: {ApiId: !Ref Named, Path: '/{proxy+}', Method: any}}
`,
	}
}

// own are the types that stand for SAM's OpenAPI document.
var own = []string{"AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::Integration", "AWS::ApiGatewayV2::Authorizer"}

// TestAgainstTheOriginal compares with AWS SAM's own translator (the Python
// package aws-sam-translator).
func TestAgainstTheOriginal(t *testing.T) {
	python := need.Tool(t, "python3")
	if err := exec.Command(python, "-c", "import samtranslator").Run(); err != nil {
		need.Missing(t, "the Python package aws-sam-translator is not installed")
	}
	for name, template := range oracle() {
		t.Run(name, func(t *testing.T) {
			root, err := tree.Parse("template.yaml", []byte("Transform: AWS::Serverless-2016-10-31"+template))
			if err != nil {
				t.Fatal(err)
			}
			expanded, err := sam.Expand(root, scopeOf(root))
			if err != nil {
				t.Fatal(err)
			}
			want, got := translate(t, python, root), plain(t, expanded.AppendJSON(nil))
			delete(got, "Transform")
			withoutOpenAPI(want)
			withoutOpenAPI(got)
			if diff := cmp.Diff(single(want), single(got)); diff != "" {
				t.Errorf("(-original +ours)\n%s", diff)
			}
		})
	}
}

// scopeOf takes the defaults of the parameters for their values.
func scopeOf(root *tree.Node) *eval.Scope {
	s := &eval.Scope{Root: root, Pseudo: eval.Pseudo{Region: "us-east-1"}, Parameters: map[string]eval.Parameter{}}
	if parameters := root.Get("Parameters"); parameters != nil {
		for _, m := range parameters.Members {
			s.Parameters[m.Key] = eval.Parameter{Value: m.Value.Get("Default").Text}
		}
	}
	return s
}

func translate(t *testing.T, python string, root *tree.Node) map[string]any {
	t.Helper()
	cmd := exec.Command(python, "testdata/translate.py")
	cmd.Stdin = bytes.NewReader(root.AppendJSON(nil))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return plain(t, out)
}

func plain(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// withoutOpenAPI removes what the two say in different ways: the document and
// the resources that stand for it.
func withoutOpenAPI(template map[string]any) {
	resources := template["Resources"].(map[string]any)
	for id, r := range resources {
		resource := r.(map[string]any)
		switch kind := resource["Type"].(string); {
		case slices.Contains(own, kind):
			delete(resources, id)
		case kind == "AWS::ApiGatewayV2::Api":
			delete(resource, "Properties")
		}
	}
}

// single makes a list of one Action or Resource that one, which says the same.
func single(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if list, ok := value.([]any); ok && len(list) == 1 && (key == "Action" || key == "Resource") {
				value = list[0]
			}
			v[key] = single(value)
		}
	case []any:
		for i, item := range v {
			v[i] = single(item)
		}
	}
	return v
}
