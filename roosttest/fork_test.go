package roosttest_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/roosttest"
)

// hosts is an app whose function tells by which host it was called, with a URL of
// its own and by an API.
const hosts = `
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]}
  Function:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: nodejs22.x
      Handler: index.handler
      Timeout: 60
      Role: !GetAtt Role.Arn
      Code: {ZipFile: "exports.handler = async (event) => event.headers.host"}
  Url:
    Type: AWS::Lambda::Url
    Properties: {TargetFunctionArn: !GetAtt Function.Arn, AuthType: NONE}
  Everybody:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Function, Action: "lambda:InvokeFunctionUrl", Principal: "*", FunctionUrlAuthType: NONE}
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: api, ProtocolType: HTTP, Target: !GetAtt Function.Arn}
  Gateway:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Function, Action: "lambda:InvokeFunction", Principal: apigateway.amazonaws.com}
Outputs:
  Url: {Value: !GetAtt Url.FunctionUrl}
  Api: {Value: !GetAtt Api.ApiEndpoint}
  Both: {Value: !Sub "${Url.FunctionUrl} and ${Api.ApiEndpoint}/x"}
`

// TestForksHaveTheirOwnURLs calls a region and its fork by what their outputs say.
func TestForksHaveTheirOwnURLs(t *testing.T) {
	need.Tool(t, "node")
	template := filepath.Join(t.TempDir(), "template.yaml")
	if err := os.WriteFile(template, []byte(hosts), 0o600); err != nil {
		t.Fatal(err)
	}
	original := roosttest.Start(t, roosttest.Config{Template: template})
	fork := original.Fork(t)
	first, second := original.Outputs(), fork.Outputs()
	for _, name := range []string{"Url", "Api"} {
		if first[name] == second[name] {
			t.Errorf("the fork has the original's %s", name)
		}
	}
	for _, outputs := range []map[string]string{first, second} {
		if got, want := outputs["Both"], outputs["Url"]+" and "+outputs["Api"]+"/x"; got != want {
			t.Errorf("the outputs name %s, want %s", got, want)
		}
		for _, page := range []string{outputs["Url"], outputs["Api"] + "/x"} {
			if got := answer(t, page); !strings.Contains(page, "//"+got+"/") {
				t.Errorf("%s was called as %s", page, got)
			}
		}
	}
	if second["Api"] != fork.API("Api") {
		t.Errorf("the fork's API is %s, and its output says %s", fork.API("Api"), second["Api"])
	}
}

// answer is what a page says; one that is not there ends the test.
func answer(t *testing.T, page string) string {
	t.Helper()
	resp, err := http.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s %v", page, resp.Status, body, err)
	}
	return string(body)
}
