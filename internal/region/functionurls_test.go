package region_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region"
)

// TestADenialKeepsACallerFromAFunctionURL has a function let everybody in who
// signs: what a caller's own policies deny stays denied all the same, for the keys
// of the request too.
func TestADenialKeepsACallerFromAFunctionURL(t *testing.T) {
	need.Tool(t, "node")
	r := open(t, region.Config{Dir: t.TempDir()})
	r.create("nodejs22.x", "index.handler", "index.js", `exports.handler = async () => 'in'`)
	var made struct{ FunctionUrl string }
	r.must("lambda", "CreateFunctionUrlConfig", object{"FunctionName": "f", "AuthType": "AWS_IAM"}, &made)
	r.must("lambda", "AddPermission", object{"FunctionName": "f", "StatementId": "all", "Action": "lambda:InvokeFunctionUrl", "Principal": "*", "FunctionUrlAuthType": "AWS_IAM"}, nil)
	r.must("iam", "CreateUser", object{"UserName": "someone"}, nil)
	var key struct {
		AccessKey struct{ AccessKeyId, SecretAccessKey string }
	}
	r.must("iam", "CreateAccessKey", object{"UserName": "someone"}, &key)
	someone := &aws.Credentials{AccessKeyID: key.AccessKey.AccessKeyId, SecretAccessKey: key.AccessKey.SecretAccessKey}
	for _, test := range []struct {
		name, policy string
		status       int
	}{
		{"no policy of its own", "", 200},
		{"a denial", `{"Effect":"Deny","Action":"lambda:InvokeFunctionUrl","Resource":"*"}`, 403},
		{"a denial of this address", `{"Effect":"Deny","Action":"lambda:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}}`, 403},
		{"a denial of others", `{"Effect":"Deny","Action":"lambda:*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"127.0.0.0/8"}}}`, 200},
	} {
		if test.policy != "" {
			r.must("iam", "PutUserPolicy", object{"UserName": "someone", "PolicyName": "p", "PolicyDocument": `{"Version":"2012-10-17","Statement":[` + test.policy + `]}`}, nil)
		}
		if status, body := r.get(made.FunctionUrl, "", someone); status != test.status {
			t.Errorf("%s: got %d %s", test.name, status, body)
		}
	}
}
