package region

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/region/identity"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// notDecidedByPolicy are the operations that a signed-in user of an app gets
// past the question for permission with: those that AWS lets anybody call, and
// that of STS that tells only the caller's own. S3 asks for each object that it is
// to delete, and answers for each.
var notDecidedByPolicy = []string{
	"cognito-identity GetCredentialsForIdentity", "cognito-identity GetId",
	"cognito-identity GetOpenIdToken", "cognito-identity UnlinkIdentity",
	"s3 DeleteObjects", "sts AssumeRoleWithWebIdentity", "sts GetCallerIdentity",
}

// TestSignedInUsersReachNoControlPlane calls every operation of every service as
// a signed-in user who may invoke APIs and nothing else.
func TestSignedInUsersReachNoControlPlane(t *testing.T) {
	r, user := signedIn(t)
	for _, service := range r.services.named {
		for _, op := range service.Operations {
			err := callAs(t, service, user, op.Name)
			var denied *wire.Denied
			var e *wire.Error
			switch name := service.Name + " " + op.Name; {
			case errors.As(err, &denied), errors.As(err, &e) && (strings.HasPrefix(e.Code, "AccessDenied") || e.Code == "NotImplemented"):
			case slices.Contains(notDecidedByPolicy, name):
			default:
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// signedIn returns a region and the session that it gave to the user of an
// identity pool whose role has execute-api:Invoke.
func signedIn(t *testing.T) (*Region, *wire.Caller) {
	t.Helper()
	ctx := t.Context()
	r, err := Start(ctx, Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",
		"Principal":{"Federated":"cognito-identity.amazonaws.com"},
		"Condition":{"StringEquals":{"cognito-identity.amazonaws.com:aud":"us-east-1:pool"}}}]}`
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}]}`
	var role struct{ Role struct{ Arn string } }
	for _, call := range []struct {
		operation string
		in        map[string]string
	}{
		{"CreateRole", map[string]string{"RoleName": "user", "AssumeRolePolicyDocument": trust}},
		{"PutRolePolicy", map[string]string{"RoleName": "user", "PolicyName": "invoke", "PolicyDocument": policy}},
		{"GetRole", map[string]string{"RoleName": "user"}},
	} {
		if err := r.Call(ctx, "iam", call.operation, call.in, &role); err != nil {
			t.Fatal(err)
		}
	}
	given, err := r.assume(ctx, identity.SessionRequest{
		RoleARN: role.Role.Arn, Name: "CognitoIdentityCredentials", Seconds: 3600,
		IdentityID: "us-east-1:someone", PoolID: "us-east-1:pool", AMR: []string{"authenticated"},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, user, err := r.services.access.Key(ctx, given.AccessKeyID, given.SessionToken)
	if err != nil {
		t.Fatal(err)
	}
	return r, user
}

// callAs calls an operation with as little as gets it past the check for members
// that are missing.
func callAs(t *testing.T, service *wire.Service, user *wire.Caller, operation string) error {
	t.Helper()
	in := map[string]any{}
	if operation == "AssumeRole" { // it reads the ARN to find the role that decides
		in["RoleArn"], in["RoleSessionName"] = "arn:aws:iam::"+user.Account+":role/user", "someone"
	}
	call := func() error {
		return service.Call(t.Context(), wire.Call{Caller: user, Account: user.Account, Region: "us-east-1"}, operation, in, nil)
	}
	err := call()
	for range 20 {
		missing := missingMember(err)
		if missing == nil {
			return err
		}
		for _, value := range values {
			put(in, missing, json.RawMessage(value))
			err = call()
			if err == nil || !slices.Equal(missingMember(err), missing) && !strings.Contains(err.Error(), "cannot be ") && !strings.Contains(err.Error(), "not support the member") {
				break
			}
		}
	}
	t.Fatalf("%s %s: no input passes: %v", service.Name, operation, err)
	return nil
}

// values are what members of all kinds may have.
var values = []string{
	`"xxxx"`, `["xxxx"]`, `{"xxxx":"xxxx"}`, `1`, `true`, `[{}]`,
	`[{"Key":"k","Value":"v"}]`, `[{"TagKey":"k","TagValue":"v"}]`, `[{"timestamp":1,"message":"m"}]`,
}

// missingMember returns the path of the member that an error says is missing,
// as it is in JSON: without the names of embedded structs.
func missingMember(err error) []string {
	if err == nil {
		return nil
	}
	if strings.Contains(err.Error(), "unexpected end of JSON input") { // S3's settings
		return []string{"Bucket"}
	}
	_, after, ok := strings.Cut(err.Error(), "the member ")
	name, _, missing := strings.Cut(after, " is missing")
	if !ok || !missing {
		return nil
	}
	path := slices.DeleteFunc(strings.Split(name, "."), func(part string) bool { return strings.HasSuffix(part, "Input") })
	if item := slices.Index(path, "1"); item > 0 { // of a list: it is given anew
		path = path[:item]
	}
	return path
}

func put(in map[string]any, path []string, value any) {
	for _, name := range path[:len(path)-1] {
		inner, ok := in[name].(map[string]any)
		if !ok {
			inner = map[string]any{}
			in[name] = inner
		}
		in = inner
	}
	in[path[len(path)-1]] = value
}
