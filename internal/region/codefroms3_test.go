package region

import (
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// TestCodeComesFromS3WithTheCallersRights has somebody who may change functions
// name an object that only others may read: GetFunction would hand it out.
func TestCodeComesFromS3WithTheCallersRights(t *testing.T) {
	r, user := signedIn(t)
	give := func(name, action string) {
		t.Helper()
		err := r.Call(t.Context(), "iam", "PutRolePolicy", map[string]string{"RoleName": "user", "PolicyName": name,
			"PolicyDocument": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"*"}]}`}, nil)
		if err != nil {
			t.Fatal(err)
		}
	}
	call := func(operation string, in map[string]any) error {
		return r.services.named["lambda"].Call(t.Context(), wire.Call{Caller: user, Account: user.Account, Region: "us-east-1"}, operation, in, nil)
	}
	object := map[string]any{"S3Bucket": "others", "S3Key": "code.zip"}
	create := map[string]any{"FunctionName": "f", "Runtime": "provided.al2023", "Handler": "bootstrap", "Role": "arn:aws:iam::" + user.Account + ":role/user", "Code": object}
	layer := map[string]any{"LayerName": "l", "Content": object}
	give("functions", "lambda:*")
	give("pass", "iam:PassRole")
	for operation, in := range map[string]map[string]any{"CreateFunction": create, "PublishLayerVersion": layer} {
		if err := call(operation, in); wire.Code(err) != "AccessDeniedException" || !strings.Contains(err.Error(), "others/code.zip") {
			t.Errorf("%s without s3:GetObject: %v", operation, err)
		}
	}
	give("objects", "s3:GetObject")
	if err := call("CreateFunction", create); !strings.Contains(err.Error(), "S3 Error Code: NoSuchBucket") {
		t.Errorf("with s3:GetObject: %v", err)
	}
}
