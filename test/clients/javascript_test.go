package clients

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed-615d3599/roost/internal/need"
)

// javascript is what a program with the AWS SDK for JavaScript v3 does; it
// prints one line for each step.
const javascript = `
const { IAM, paginateListPolicies } = require(process.env.MODULES + '/@aws-sdk/client-iam')
const { STS } = require(process.env.MODULES + '/@aws-sdk/client-sts')
const iam = new IAM(), sts = new STS()
const allow = (...a) => JSON.stringify({Version: '2012-10-17', Statement: [{Effect: 'Allow', Action: a, Resource: '*'}]})
const trust = JSON.stringify({Version: '2012-10-17', Statement: [{Effect: 'Allow', Principal: {AWS: 'arn:aws:iam::123456789012:root'}, Action: ['sts:AssumeRole', 'sts:TagSession']}]})
const code = async promise => { try { await promise; return 'fine' } catch (e) { return e.name + ' ' + e.$metadata.httpStatusCode } }
async function main() {
  await iam.createUser({UserName: 'bob', Tags: [{Key: 'a', Value: 'b'}]})
  console.log('tags', JSON.stringify((await iam.listUserTags({UserName: 'bob'})).Tags))
  await iam.putUserPolicy({UserName: 'bob', PolicyName: 'may', PolicyDocument: allow('iam:GetUser', 'ab:c')})
  console.log('document', decodeURIComponent((await iam.getUserPolicy({UserName: 'bob', PolicyName: 'may'})).PolicyDocument))
  const { Role } = await iam.createRole({RoleName: 'app', AssumeRolePolicyDocument: trust, MaxSessionDuration: 7200})
  const policy = (await iam.createPolicy({PolicyName: 'p', PolicyDocument: allow('iam:ListRoles')})).Policy
  await iam.attachRolePolicy({RoleName: 'app', PolicyArn: policy.Arn})
  console.log('created', policy.CreateDate instanceof Date, policy.DefaultVersionId, Role.MaxSessionDuration)
  console.log('never used', JSON.stringify((await iam.getRole({RoleName: 'app'})).Role.RoleLastUsed))
  let pages = 0, policies = 0
  for await (const page of paginateListPolicies({client: iam, pageSize: 5}, {Scope: 'AWS'})) { pages++; policies += page.Policies.length }
  console.log('paged', pages > 3, policies > 15)
  const s = await sts.assumeRole({RoleArn: Role.Arn, RoleSessionName: 'js', DurationSeconds: 900, Tags: [{Key: 't', Value: '1'}]})
  console.log('expires', s.Credentials.Expiration instanceof Date, s.AssumedRoleUser.AssumedRoleId.endsWith(':js'))
  const credentials = {accessKeyId: s.Credentials.AccessKeyId, secretAccessKey: s.Credentials.SecretAccessKey, sessionToken: s.Credentials.SessionToken}
  const me = new STS({credentials}), mine = new IAM({credentials})
  console.log('me', (await me.getCallerIdentity({})).Arn)
  console.log('may', (await mine.listRoles({})).Roles.map(r => r.RoleName).join())
  console.log('may not', await code(mine.listUsers({})), await code(me.assumeRole({RoleArn: Role.Arn, RoleSessionName: 'js'})))
  const used = (await iam.getRole({RoleName: 'app'})).Role.RoleLastUsed
  console.log('used', used.LastUsedDate instanceof Date, used.Region)
  const r = (await iam.simulatePrincipalPolicy({PolicySourceArn: Role.Arn, ActionNames: ['iam:ListRoles', 'iam:ListUsers'], ResourceArns: ['*']})).EvaluationResults
  console.log('simulated', r.map(x => x.EvalActionName + ' ' + x.EvalDecision).join(), r[0].MatchedStatements[0].SourcePolicyId)
  console.log('wrong', await code(new STS({credentials: {...credentials, secretAccessKey: 'x'}}).getCallerIdentity({})), await code(new STS({credentials: {...credentials, accessKeyId: 'ASIAAAAAAAAAAAAAAAAA'}}).getCallerIdentity({})))
  console.log('none', await code(iam.getUser({UserName: 'none'})), await code(iam.createUser({UserName: 'bob'})), await code(iam.deletePolicy({PolicyArn: policy.Arn})))
  console.log('malformed', await code(iam.putUserPolicy({UserName: 'bob', PolicyName: 'x', PolicyDocument: '{}'})), await code(sts.assumeRoleWithWebIdentity({RoleArn: Role.Arn, RoleSessionName: 'web', WebIdentityToken: 'x.y.z'})))
  console.log('refused', await code(sts.getFederationToken({Name: 'x1', PolicyArns: [{arn: 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess'}]})))
}
main().catch(e => { console.error(e); process.exit(1) })
`

// TestJavaScriptSDK makes a role, uses and simulates it, and is refused.
func TestJavaScriptSDK(t *testing.T) {
	node, module := need.Tool(t, "node"), need.NodeModule(t, filepath.Join("@aws-sdk", "client-iam"))
	need.NodeModule(t, filepath.Join("@aws-sdk", "client-sts"))
	env := append(environ(start(t), t.TempDir()), "MODULES="+filepath.Dir(filepath.Dir(module)))
	out, errs, err := program(t, env, node, "-e", javascript)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, errs)
	}
	for _, want := range []string{
		`tags [{"Key":"a","Value":"b"}]`, `document {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GetUser","ab:c"],"Resource":"*"}]}`,
		"created true v1 7200", "never used {}", "paged true true", "expires true true", "me arn:aws:sts::123456789012:assumed-role/app/js", "may app",
		"may not AccessDenied 403 AccessDenied 403", "used true us-east-1", "simulated iam:ListRoles allowed,iam:ListUsers implicitDeny p",
		"wrong SignatureDoesNotMatch 403 InvalidClientTokenId 403", "none NoSuchEntityException 404 EntityAlreadyExistsException 409 DeleteConflictException 409",
		"malformed MalformedPolicyDocumentException 400 InvalidIdentityTokenException 400", "refused NotImplemented 501",
	} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("no line %q in\n%s", want, out)
		}
	}
}
