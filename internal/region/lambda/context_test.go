package lambda_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// What a client sends beside the payload, and the identity of a caller whom an
// identity pool vouches for, are in the function's context.
func TestContextOfTheCaller(t *testing.T) {
	r := start(t)
	need.Tool(t, "node")
	r.python("p", "def handler(e, c):\n    print(c.client_context.custom['a'], c.client_context.client.app_title, c.identity.cognito_identity_id, c.identity.cognito_identity_pool_id, 'PYTHON')")
	r.must("CreateFunction", object{"FunctionName": "n", "Runtime": "nodejs22.x", "Handler": "index.handler", "Role": role, "Timeout": 20,
		"Code": object{"ZipFile": zipped(t, map[string]string{"index.js": "exports.handler = async (e, {clientContext: c, identity: i}) => process.stdout.write([c.custom.a, c.client.app_title, i.cognitoIdentityId, i.cognitoIdentityPoolId, 'NODE\\n'].join(' '))"})}}, nil)
	sent := base64.StdEncoding.EncodeToString([]byte(`{"custom":{"a":"b"},"client":{"app_title":"app"}}`))
	caller := &wire.Caller{Cognito: &wire.CognitoIdentity{IdentityID: "us-east-1:identity", PoolID: "us-east-1:pool"}}
	for function, end := range map[string]string{"p": "PYTHON", "n": "NODE"} {
		call := wire.Call{Region: "us-east-1", Account: "123456789012", Caller: caller}
		if err := r.Service().Call(context.Background(), call, "Invoke", object{"FunctionName": function, "ClientContext": sent, "Payload": []byte(`{}`)}, nil); err != nil {
			t.Error(err)
		}
		if want := "b app us-east-1:identity us-east-1:pool " + end; !strings.Contains(r.logs.text(), want) {
			t.Errorf("%q is missing in %s", want, r.logs.text())
		}
	}
	for _, wrong := range []string{"no base64!", base64.StdEncoding.EncodeToString([]byte("no JSON"))} {
		got := r.post("p", `{}`, "X-Amz-Client-Context", wrong)
		if refused, _ := got["Error"].(object); refused["Code"] != "InvalidRequestContentException" || refused["Message"] != "Client context must be a valid Base64-encoded JSON object." {
			t.Errorf("%s: got %v", wrong, got)
		}
	}
}
