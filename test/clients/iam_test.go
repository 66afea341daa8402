package clients

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/seed-615d3599/roost/internal/need"
	"github.com/seed-615d3599/roost/internal/region"
)

func start(t *testing.T) *region.Region {
	t.Helper()
	r, err := region.Start(t.Context(), region.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// environ is what a shell has after eval "$(roost env)", and nothing of AWS
// besides.
func environ(r *region.Region, home string) []string {
	env := []string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "AWS_ENDPOINT_URL=" + r.Endpoint, "AWS_DISABLE_HOST_PREFIX_INJECTION=true", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=" + r.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + r.SecretAccessKey, "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1"}
	return env
}

// program runs a program and returns what it printed.
func program(t *testing.T, env []string, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Env, command.Dir = env, t.TempDir()
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	err = command.Run()
	return out.String(), errs.String(), err
}

const trust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}}`

// TestAWSCLI goes the way of somebody who makes a role, uses it, and is refused.
func TestAWSCLI(t *testing.T) {
	cli := need.Tool(t, "aws")
	r := start(t)
	env := environ(r, t.TempDir())
	run := func(env []string, want string, args ...string) string {
		t.Helper()
		out, errs, err := program(t, env, cli, args...)
		if failed := err != nil; failed != strings.HasPrefix(want, "error: ") || !strings.Contains(out+errs, strings.TrimPrefix(want, "error: ")) {
			t.Errorf("aws %s: %v, want %q\n%s%s", strings.Join(args, " "), err, want, out, errs)
		}
		return out
	}
	run(env, `"arn:aws:iam::123456789012:user/roost"`, "sts", "get-caller-identity")
	run(env, `"Arn": "arn:aws:iam::123456789012:role/app"`, "iam", "create-role", "--role-name", "app", "--assume-role-policy-document", trust, "--tags", "Key=team,Value=red")
	run(env, `"AWS": "arn:aws:iam::123456789012:root"`, "iam", "get-role", "--role-name", "app")
	out := run(env, `"arn:aws:sts::123456789012:assumed-role/app/me"`, "sts", "assume-role", "--role-arn", "arn:aws:iam::123456789012:role/app", "--role-session-name", "me")
	var made struct {
		Credentials struct{ AccessKeyId, SecretAccessKey, SessionToken string }
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}
	c := made.Credentials
	session := append(env, "AWS_ACCESS_KEY_ID="+c.AccessKeyId, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey, "AWS_SESSION_TOKEN="+c.SessionToken)
	run(session, "error: An error occurred (AccessDenied) when calling the ListUsers operation: User: arn:aws:sts::123456789012:assumed-role/app/me is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::123456789012:user/* because no identity-based policy allows the iam:ListUsers action", "iam", "list-users")
	wrong := append(env, "AWS_SECRET_ACCESS_KEY=wrong")
	run(wrong, "error: An error occurred (SignatureDoesNotMatch) when calling the ListUsers operation: The request signature we calculated does not match", "iam", "list-users")
	unknown := append(env, "AWS_ACCESS_KEY_ID=AKIAAAAAAAAAAAAAAAAA")
	run(unknown, "error: An error occurred (UnrecognizedClientException) when calling the GetParameter operation: The security token included in the request is invalid.", "ssm", "get-parameter", "--name", "x")
}

// boto is what a Python program does; it prints one line for each step.
const boto = `
import boto3, json, urllib.parse
from botocore.exceptions import ClientError
iam, sts = boto3.client('iam'), boto3.client('sts')
allow = lambda *a: json.dumps({'Version':'2012-10-17','Statement':[{'Effect':'Allow','Action':list(a),'Resource':'*'}]})
trust = json.dumps({'Version':'2012-10-17','Statement':[{'Effect':'Allow','Principal':{'AWS':'arn:aws:iam::123456789012:root'},'Action':['sts:AssumeRole','sts:TagSession']}]})
def code(f):
    try: f(); return 'fine'
    except ClientError as e: return '%s %d' % (e.response['Error']['Code'], e.response['ResponseMetadata']['HTTPStatusCode'])
iam.create_user(UserName='bob', Tags=[{'Key':'a','Value':'b'}])
iam.put_user_policy(UserName='bob', PolicyName='may', PolicyDocument=allow('iam:GetUser'))
print('policy', iam.get_user_policy(UserName='bob', PolicyName='may')['PolicyDocument']['Statement'][0]['Action'])
arn = iam.create_policy(PolicyName='p', PolicyDocument=allow('s3:*'))['Policy']['Arn']
print('document', iam.get_policy_version(PolicyArn=arn, VersionId='v1')['PolicyVersion']['Document']['Version'])
iam.create_role(RoleName='app', AssumeRolePolicyDocument=trust, PermissionsBoundary=arn, MaxSessionDuration=7200)
role = iam.get_role(RoleName='app')['Role']
print('role', role['MaxSessionDuration'], role['PermissionsBoundary']['PermissionsBoundaryArn'], role['CreateDate'].tzinfo is not None)
iam.attach_role_policy(RoleName='app', PolicyArn='arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess')
print('attached', [p['PolicyName'] for p in iam.list_attached_role_policies(RoleName='app')['AttachedPolicies']])
print('held', [r['RoleName'] for r in iam.list_entities_for_policy(PolicyArn=arn)['PolicyRoles']])
print('paged', len([u for p in iam.get_paginator('list_policies').paginate(Scope='AWS', PaginationConfig={'PageSize':5}) for u in p['Policies']]) > 15)
print('summary', iam.get_account_summary()['SummaryMap']['Roles'])
print('details', len(iam.get_account_authorization_details(Filter=['Role'])['RoleDetailList']))
r = iam.simulate_custom_policy(PolicyInputList=[allow('s3:*')], ActionNames=['s3:GetObject'], ContextEntries=[{'ContextKeyName':'aws:SourceIp','ContextKeyValues':['10.0.0.1'],'ContextKeyType':'ip'}])['EvaluationResults'][0]
print('simulated', r['EvalDecision'], r['MatchedStatements'][0]['StartPosition'])
print('keys', iam.get_context_keys_for_custom_policy(PolicyInputList=[json.dumps({'Version':'2012-10-17','Statement':{'Effect':'Allow','Action':'a:b','Resource':'*','Condition':{'Bool':{'aws:SecureTransport':'true'}}}})])['ContextKeyNames'])
url = iam.create_open_id_connect_provider(Url='https://token.example', ClientIDList=['x'], ThumbprintList=['0'*40])['OpenIDConnectProviderArn']
print('provider', url, iam.get_open_id_connect_provider(OpenIDConnectProviderArn=url)['ClientIDList'])
s = sts.assume_role(RoleArn=role['Arn'], RoleSessionName='py', DurationSeconds=900, Policy=allow('s3:GetObject'), Tags=[{'Key':'t','Value':'1'}])
print('packed', 0 < s['PackedPolicySize'] < 100, s['Credentials']['Expiration'].tzinfo is not None)
c = s['Credentials']
me = boto3.client('sts', aws_access_key_id=c['AccessKeyId'], aws_secret_access_key=c['SecretAccessKey'], aws_session_token=c['SessionToken'])
print('me', me.get_caller_identity()['Arn'])
print('none', code(lambda: iam.get_user(UserName='none')), code(lambda: iam.delete_user(UserName='bob')), code(lambda: iam.delete_policy(PolicyArn=arn)))
print('malformed', code(lambda: iam.put_user_policy(UserName='bob', PolicyName='x', PolicyDocument='{}')))
print('token', code(lambda: sts.assume_role_with_web_identity(RoleArn=role['Arn'], RoleSessionName='web', WebIdentityToken='x.y.z')))
print('refused', code(lambda: iam.create_instance_profile(InstanceProfileName='x')))
`

func TestBoto3(t *testing.T) {
	python := filepath.Join(filepath.Dir(need.Tool(t, "aws")), "python")
	if _, _, err := program(t, os.Environ(), python, "-c", "import boto3"); err != nil {
		need.Missing(t, "boto3 is not installed: run make tools")
	}
	out, errs, err := program(t, environ(start(t), t.TempDir()), python, "-c", boto)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, errs)
	}
	for _, want := range []string{
		"policy ['iam:GetUser']", "document 2012-10-17", "role 7200 arn:aws:iam::123456789012:policy/p True", "attached ['AmazonS3ReadOnlyAccess']",
		"held ['app']", "paged True", "summary 1", "details 1", "simulated allowed {'Line': 1, 'Column': 41}", "keys ['aws:SecureTransport']",
		"provider arn:aws:iam::123456789012:oidc-provider/token.example ['x']", "packed True True", "me arn:aws:sts::123456789012:assumed-role/app/py",
		"none NoSuchEntity 404 DeleteConflict 409 DeleteConflict 409", "malformed MalformedPolicyDocument 400", "token InvalidIdentityToken 400", "refused NotImplemented 501",
	} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("no line %q in\n%s", want, out)
		}
	}
}

func TestGoSDK(t *testing.T) {
	r := start(t)
	config := aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(r.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(r.AccessKeyID, r.SecretAccessKey, ""),
	}
	client := sts.NewFromConfig(config)
	who, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || aws.ToString(who.Arn) != "arn:aws:iam::123456789012:user/roost" {
		t.Fatalf("%+v, %v", who, err)
	}
	session, err := client.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(900)})
	if err != nil || time.Until(*session.Credentials.Expiration) > 15*time.Minute+time.Second {
		t.Fatalf("%+v, %v", session, err)
	}
	// The SDK's own provider of roles; there is no such role.
	assumed := config
	assumed.Credentials = stscreds.NewAssumeRoleProvider(client, "arn:aws:iam::123456789012:role/none")
	_, err = sts.NewFromConfig(assumed).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorCode() != "AccessDenied" || !strings.Contains(refused.ErrorMessage(), "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/none") {
		t.Errorf("%v", err)
	}
}
