package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/need"
)

// TestCDK takes an app through its life with the CDK command line, which is
// told where the region is and nothing else.
func TestCDK(t *testing.T) {
	cdk := need.Tool(t, "cdk")
	p := withRegion(t, "cdk")
	if err := os.Symlink(filepath.Dir(need.NodeModule(t, "aws-cdk-lib")), filepath.Join(p.home, "node_modules")); err != nil {
		t.Fatal(err)
	}
	buildForLambda(p, "./testdata/cdk/go", filepath.Join(p.home, "go", "bootstrap"))
	// Nothing of this asks the network, or checks the same constructs each time.
	p.env = append(p.env, "CI=1", "CDK_DISABLE_CLI_TELEMETRY=true", "CDK_DISABLE_VERSION_CHECK=1", "CDK_VALIDATION=false")
	deploy := []string{"deploy", "--no-notices", "--require-approval", "never", "--outputs-file", "outputs.json"}

	p.says(p.run(cdk, "bootstrap", "--no-notices"), "Environment aws://123456789012/us-east-1 bootstrapped")
	p.run(cdk, deploy...)
	first := checkCDKApp(p, "Hello", "Create one")
	checkRoleOfStack(p)

	// What the deployment may do is what its role may do.
	p.write("app.ts", strings.NewReplacer(`"Hello"`, `"Hi"`, `"one"`, `"two"`).Replace(p.read("app.ts")))
	role := []string{"--role-name", "cdk-hnb659fds-deploy-role-123456789012-us-east-1", "--policy-name", "no"}
	deny := `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"cloudformation:CreateChangeSet","Resource":"*"}}`
	p.awsSigned(append([]string{"iam", "put-role-policy", "--policy-document", deny}, role...)...)
	out, status := p.try("", cdk, deploy...)
	if p.says(out, "is not authorized to perform: cloudformation:CreateChangeSet"); status == 0 {
		t.Error("the deployment succeeds against a denial")
	}
	p.awsSigned(append([]string{"iam", "delete-role-policy"}, role...)...)

	p.says(p.run(cdk, "diff", "--no-notices"), "[-] Hello", "[+] Hi", "[-] one", "[+] two", "Number of stacks with differences: 1")
	p.run(cdk, deploy...)
	if again := checkCDKApp(p, "Hi", "Update two"); again != first {
		t.Errorf("an update moves the API from %s to %s", first, again)
	}
	p.says(p.run(cdk, "diff", "--no-notices"), "Number of stacks with differences: 0")
	p.says(p.run(cdk, deploy...), "(no changes)")

	p.says(p.run(cdk, "destroy", "--force", "--no-notices"), "destroyed")
	if response, err := http.Get(first + "/open"); err == nil {
		response.Body.Close()
		t.Errorf("the API of a destroyed stack answers with %s", response.Status)
	}

	// The same assembly, by Roost's own deployer.
	p.roost("deploy", "--assembly", "cdk.out", "--outputs-file", "outputs.json")
	checkCDKApp(p, "Hi", "Create two")
}

// buildForLambda builds a Go function for this machine.
func buildForLambda(p *person, source, to string) {
	p.t.Helper()
	away := *p
	away.home, away.env = ".", append(os.Environ(), "CGO_ENABLED=0")
	away.run("go", "build", "-tags", "lambda.norpc", "-o", to, source)
}

// checkCDKApp calls the app as everybody, as a stranger and as a guest of its
// identity pool. It returns the API's URL.
func checkCDKApp(p *person, greeting, answer string) string {
	p.t.Helper()
	out := readOutputs(p.t, filepath.Join(p.home, "outputs.json"))
	if out["Answer"] != answer {
		p.t.Errorf("the custom resource says %q, not %q", out["Answer"], answer)
	}
	if status, body := p.get(out["Url"] + "/open"); status != 200 || body != greeting+" /open" {
		p.t.Errorf("open: %d %s", status, body)
	}
	if status, body := p.get(out["Url"] + "/private"); status != 403 || body != `{"message":"Forbidden"}` {
		p.t.Errorf("private, unsigned: %d %s", status, body)
	}
	guest := signedIn{credentials: guestOf(p, out["PoolId"])}
	if status, body := guest.call(p.t, "GET", out["Url"]+"/private", ""); status != 200 || body != "Go serves /private" {
		p.t.Errorf("private, as a guest: %d %s", status, body)
	}
	return out["Url"]
}

// guestOf returns credentials of somebody whom nobody knows.
func guestOf(p *person, pool string) credentials {
	p.t.Helper()
	var identity struct{ IdentityId string }
	var given struct{ Credentials credentials }
	endpoint := p.region().Endpoint
	if err := cognito(endpoint, "GetId", map[string]any{"IdentityPoolId": pool}, &identity); err != nil {
		p.t.Fatal(err)
	}
	if err := cognito(endpoint, "GetCredentialsForIdentity", map[string]any{"IdentityId": identity.IdentityId}, &given); err != nil {
		p.t.Fatal(err)
	}
	return given.Credentials
}

// checkRoleOfStack looks whether the stack acts as the role of the bootstrap.
func checkRoleOfStack(p *person) {
	p.t.Helper()
	out := p.awsSigned("cloudformation", "describe-stacks", "--stack-name", "CdkStack", "--query", "Stacks[0].RoleARN", "--output", "text")
	if want := "arn:aws:iam::123456789012:role/cdk-hnb659fds-cfn-exec-role-123456789012-us-east-1"; strings.TrimSpace(out) != want {
		p.t.Errorf("the stack acts as %s", out)
	}
}

// awsSigned runs the AWS CLI as who administers the region.
func (p *person) awsSigned(args ...string) string {
	p.t.Helper()
	return p.run(need.Tool(p.t, "aws"), args...)
}
