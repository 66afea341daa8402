package access_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

func unescape(t *testing.T, text string) string {
	t.Helper()
	plain, err := url.PathUnescape(text)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// sized is a valid policy of a number of characters, white space not counted.
func sized(n int) string {
	const frame = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::"}}`
	return strings.Replace(frame, `:::"`, ":::"+strings.Repeat("x", n-len(frame))+`"`, 1) + "  \n"
}

// Quotas are those of the IAM User Guide, "IAM and AWS STS quotas".
func TestQuotas(t *testing.T) {
	w := newWorld(t)
	w.must("CreateUser", m{"UserName": "u"})
	w.must("CreateGroup", m{"GroupName": "g"})
	w.role("r", trustAccount)
	for kind, limit := range map[string]int{"User": 2048, "Group": 5120, "Role": 10240} {
		name := strings.ToLower(kind[:1])
		put := func(policy, document string) (m, error) {
			return w.try(w.admin, "Put"+kind+"Policy", m{kind + "Name": name, "PolicyName": policy, "PolicyDocument": document})
		}
		if _, err := put("a", sized(limit)); err != nil {
			t.Errorf("%s, %d characters: %v", kind, limit, err)
		}
		if _, err := put("a", sized(limit+1)); wire.Code(err) != "LimitExceeded" || !strings.Contains(err.Error(), fmt.Sprintf("Maximum policy size of %d bytes exceeded for %s %s", limit, strings.ToLower(kind), name)) {
			t.Errorf("%s, one character more: %v", kind, err)
		}
		if _, err := put("b", sized(200)); wire.Code(err) != "LimitExceeded" {
			t.Errorf("%s, the sum of two: %v", kind, err)
		}
	}
	w.must("CreatePolicy", m{"PolicyName": "p", "PolicyDocument": sized(6144)})
	w.fails(w.admin, "CreatePolicy", m{"PolicyName": "q", "PolicyDocument": sized(6145)}, "LimitExceeded: Cannot exceed quota for PolicySize: 6144")
	long := strings.Replace(trustAccount, `"Action"`, `"Sid":"`+strings.Repeat("x", 2048)+`","Action"`, 1)
	w.fails(w.admin, "CreateRole", m{"RoleName": "x", "AssumeRolePolicyDocument": long}, "LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048")
	w.fails(w.admin, "PutUserPolicy", m{"UserName": "u", "PolicyName": "c", "PolicyDocument": strings.Repeat(" ", 131073)}, "less than or equal to 131072")
	for i := range 11 {
		arn := w.must("CreatePolicy", m{"PolicyName": fmt.Sprint("many", i), "PolicyDocument": policy("s3:*")})["Policy"].(m)["Arn"]
		_, err := w.try(w.admin, "AttachRolePolicy", m{"RoleName": "r", "PolicyArn": arn})
		if (err != nil) != (i == 10) {
			t.Errorf("policy %d attached: %v", i, err)
		}
		group := fmt.Sprint("group", i)
		w.must("CreateGroup", m{"GroupName": group})
		_, err = w.try(w.admin, "AddUserToGroup", m{"UserName": "u", "GroupName": group})
		if (err != nil) != (i == 10) {
			t.Errorf("group %d joined: %v", i, err)
		}
	}
	w.must("CreateAccessKey", m{"UserName": "u"})
	w.must("CreateAccessKey", m{"UserName": "u"})
	w.fails(w.admin, "CreateAccessKey", m{"UserName": "u"}, "LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2")
}

func TestWhatIAMRefuses(t *testing.T) {
	w := newWorld(t)
	w.user("u")
	w.role("r", trustAccount)
	w.must("CreateGroup", m{"GroupName": "g"})
	w.must("CreatePolicy", m{"PolicyName": "p", "PolicyDocument": policy("s3:*")})
	const arn = "arn:aws:iam::123456789012:policy/p"
	tags := func(pairs ...string) []m {
		var list []m
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, m{"Key": pairs[i], "Value": pairs[i+1]})
		}
		return list
	}
	var many []m
	for i := range 51 {
		many = append(many, m{"Key": fmt.Sprint(i), "Value": ""})
	}
	for _, test := range []struct {
		operation string
		in        m
		want      string
	}{
		{"CreateUser", m{"UserName": "u"}, "EntityAlreadyExists: User with name u already exists."},
		{"CreateUser", m{"UserName": "U"}, "EntityAlreadyExists: User with name U already exists."},
		{"CreateUser", m{"UserName": "a b"}, "ValidationError: The specified value for userName is invalid."},
		{"CreateUser", m{"UserName": "é"}, "ValidationError"},
		{"CreateUser", m{"UserName": strings.Repeat("a", 65)}, "less than or equal to 64"},
		{"CreateUser", m{"UserName": "x", "Path": "x"}, "ValidationError: The specified value for path is invalid."},
		{"CreateUser", m{"UserName": "x", "PermissionsBoundary": arn + "x"}, "NoSuchEntity"},
		{"CreateUser", m{"UserName": "x", "Tags": many}, "LimitExceeded: Cannot exceed quota for TagsPerUser: 50"},
		{"CreateUser", m{"UserName": "x", "Tags": tags("a", "1", "A", "2")}, "Duplicate tag keys found"},
		{"CreateUser", m{"UserName": "x", "Tags": tags("a!", "1")}, "tags.member.key"},
		{"CreateUser", m{"UserName": "x", "Tags": tags("a", strings.Repeat("v", 257))}, "tags.member.value"},
		{"CreateUser", m{"UserName": "x", "Tags": tags("AWS:x", "1")}, "aws: prefixed tag key names are not allowed"},
		{"CreateUser", m{"UserName": "x", "Surname": "y"}, "roost does not support the member"},
		{"GetUser", m{"UserName": "none"}, "NoSuchEntity: The user with name none cannot be found."},
		{"GetUser", m{"RoleName": "r"}, "does not belong here"},
		{"GetRole", m{}, "Member must not be null"},
		{"DeleteUser", m{"UserName": "u"}, "DeleteConflict: Cannot delete entity, must delete access keys first."},
		{"UpdateUser", m{"UserName": "u", "NewUserName": "v"}, "roost does not support UpdateUser: a user or a group cannot be renamed"},
		{"CreateInstanceProfile", m{"InstanceProfileName": "x"}, "roost does not support CreateInstanceProfile: there are no instances"},
		{"CreateServiceLinkedRole", m{"AWSServiceName": "x"}, "NotImplemented"},
		{"CreateRole", m{"RoleName": "x", "AssumeRolePolicyDocument": policy("sts:AssumeRole")}, "MalformedPolicyDocument"},
		{"CreateRole", m{"RoleName": "x", "AssumeRolePolicyDocument": "{"}, "MalformedPolicyDocument"},
		{"CreateRole", m{"RoleName": "x", "AssumeRolePolicyDocument": trustAccount, "MaxSessionDuration": 3599}, "between 3600 and 43200"},
		{"CreateRole", m{"RoleName": "x", "AssumeRolePolicyDocument": trustAccount, "Description": strings.Repeat("x", 1001)}, "less than or equal to 1000"},
		{"PutRolePolicy", m{"RoleName": "r", "PolicyName": "x", "PolicyDocument": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}}`}, "MalformedPolicyDocument"},
		{"PutRolePolicy", m{"RoleName": "r", "PolicyName": "x", "PolicyDocument": "{\x00}"}, "printable ASCII"},
		{"PutRolePolicy", m{"RoleName": "r", "PolicyName": "x", "PolicyDocument": policy("s3:*", "☃")}, "printable ASCII"},
		{"PutRolePolicy", m{"RoleName": "r", "PolicyName": "x y", "PolicyDocument": policy("s3:*")}, "The specified value for policyName is invalid."},
		{"PutRolePolicy", m{"RoleName": "none", "PolicyName": "x", "PolicyDocument": policy("s3:*")}, "NoSuchEntity: The role with name none cannot be found."},
		{"GetRolePolicy", m{"RoleName": "r", "PolicyName": "x"}, "NoSuchEntity: The role policy with name x cannot be found."},
		{"DeleteGroupPolicy", m{"GroupName": "g", "PolicyName": "x"}, "NoSuchEntity: The group policy with name x cannot be found."},
		{"DetachRolePolicy", m{"RoleName": "r", "PolicyArn": arn}, "NoSuchEntity: Policy " + arn + " was not found."},
		{"AttachRolePolicy", m{"RoleName": "r", "PolicyArn": arn + "x"}, "NoSuchEntity: Policy " + arn + "x does not exist or is not attachable."},
		{"AttachRolePolicy", m{"RoleName": "r", "PolicyArn": "arn:aws:iam::aws:policy/Unheard"}, "keeps only some of AWS's managed policies"},
		{"CreatePolicy", m{"PolicyName": "P", "Path": "/x/", "PolicyDocument": policy("s3:*")}, "EntityAlreadyExists: A policy called P already exists."},
		{"DeletePolicyVersion", m{"PolicyArn": arn, "VersionId": "v1"}, "DeleteConflict: Cannot delete the default version of a policy."},
		{"SetDefaultPolicyVersion", m{"PolicyArn": arn, "VersionId": "v9"}, "NoSuchEntity: Policy " + arn + " version v9 does not exist"},
		{"CreatePolicyVersion", m{"PolicyArn": arn, "PolicyDocument": "{}"}, "MalformedPolicyDocument"},
		{"CreatePolicyVersion", m{"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess", "PolicyDocument": policy("s3:*")}, "AccessDenied"},
		{"DeletePolicy", m{"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, "AccessDenied"},
		{"RemoveUserFromGroup", m{"UserName": "u", "GroupName": "g"}, "NoSuchEntity"},
		{"UpdateAccessKey", m{"UserName": "u", "AccessKeyId": "AKIA", "Status": "Maybe"}, "enum value set: [Active, Inactive]"},
		{"DeleteAccessKey", m{"UserName": "u", "AccessKeyId": "AKIAX"}, "NoSuchEntity: The Access Key with id AKIAX cannot be found."},
		{"ListRoles", m{"MaxItems": 1001}, "between 1 and 1000"},
		{"ListRoles", m{"Marker": "x"}, "Invalid Marker"},
		{"CreateOpenIDConnectProvider", m{"Url": "http://x"}, "InvalidInput: Invalid Open ID Connect Provider URL"},
		{"CreateOpenIDConnectProvider", m{"Url": "https://x", "ThumbprintList": []string{"12"}}, "InvalidInput: Invalid thumbprint"},
		{"GetOpenIDConnectProvider", m{"OpenIDConnectProviderArn": "arn:x"}, "NoSuchEntity: OpenIDConnect Provider not found for arn arn:x"},
		{"GetAccountPasswordPolicy", m{}, "NoSuchEntity"},
		{"GetLoginProfile", m{"UserName": "u"}, "NoSuchEntity"},
		{"ListMFADevices", m{"UserName": "none"}, "NoSuchEntity"},
	} {
		t.Run(test.operation, func(t *testing.T) { w.t = t; w.fails(w.admin, test.operation, test.in, test.want) })
	}
}

// A thing goes through its life, and what refers to it keeps it from being
// deleted.
func TestLivesOfRolesAndPolicies(t *testing.T) {
	w := newWorld(t)
	role := w.role("r", trustAccount, "s3:GetObject")
	arn := w.must("CreatePolicy", m{"PolicyName": "p", "Path": "/app/", "PolicyDocument": policy("s3:*")})["Policy"].(m)["Arn"].(string)
	w.must("AttachRolePolicy", m{"RoleName": "r", "PolicyArn": arn})
	w.fails(w.admin, "DeleteRole", m{"RoleName": "r"}, "DeleteConflict: Cannot delete entity, must detach all policies first.")
	w.fails(w.admin, "DeletePolicy", m{"PolicyArn": arn}, "DeleteConflict: Cannot delete a policy attached to entities.")
	w.must("CreatePolicyVersion", m{"PolicyArn": arn, "PolicyDocument": policy("s3:Get*"), "SetAsDefault": true})
	for i := range 3 {
		w.must("CreatePolicyVersion", m{"PolicyArn": arn, "PolicyDocument": policy(fmt.Sprint("s3:X", i))})
	}
	w.fails(w.admin, "CreatePolicyVersion", m{"PolicyArn": arn, "PolicyDocument": policy("s3:*")}, "LimitExceeded: A managed policy can have up to 5 versions.")
	version := w.must("GetPolicyVersion", m{"PolicyArn": arn, "VersionId": "v2"})["PolicyVersion"].(m)
	if version["IsDefaultVersion"] != true || unescape(t, version["Document"].(string)) != policy("s3:Get*") {
		t.Errorf("%v", version)
	}
	w.must("PutRolePermissionsBoundary", m{"RoleName": "r", "PermissionsBoundary": arn})
	w.must("DetachRolePolicy", m{"RoleName": "r", "PolicyArn": arn})
	w.fails(w.admin, "DeletePolicy", m{"PolicyArn": arn}, "DeleteConflict")
	w.must("DeleteRolePermissionsBoundary", m{"RoleName": "r"})
	w.fails(w.admin, "DeletePolicy", m{"PolicyArn": arn}, "This policy has more than one version.")
	for _, v := range []string{"v1", "v3", "v4", "v5"} {
		w.must("DeletePolicyVersion", m{"PolicyArn": arn, "VersionId": v})
	}
	w.must("DeletePolicy", m{"PolicyArn": arn})
	w.must("TagRole", m{"RoleName": "r", "Tags": []m{{"Key": "Team", "Value": "red"}}})
	w.must("TagRole", m{"RoleName": "r", "Tags": []m{{"Key": "team", "Value": "blue"}}})
	if diff := cmp.Diff([]any{m{"Key": "team", "Value": "blue"}}, w.must("ListRoleTags", m{"RoleName": "r"})["Tags"]); diff != "" {
		t.Error(diff)
	}
	w.must("UntagRole", m{"RoleName": "r", "TagKeys": []string{"TEAM"}})
	w.fails(w.admin, "DeleteRole", m{"RoleName": "r"}, "DeleteConflict: Cannot delete entity, must delete policies first.")
	w.restart() // everything is on disk
	w.must("DeleteRolePolicy", m{"RoleName": "r", "PolicyName": "may"})
	w.must("DeleteRole", m{"RoleName": "r"})
	w.fails(w.admin, "GetRole", m{"RoleName": "r"}, "NoSuchEntity")
	_ = role
}

func TestGroupsAndTheirMembers(t *testing.T) {
	w := newWorld(t)
	u := w.user("u")
	w.must("CreateGroup", m{"GroupName": "g"})
	w.must("PutGroupPolicy", m{"GroupName": "g", "PolicyName": "may", "PolicyDocument": policy("iam:GetUser")})
	w.fails(u, "GetUser", nil, "AccessDenied: User: arn:aws:iam::123456789012:user/u is not authorized to perform: iam:GetUser on resource: user u because no identity-based policy allows the iam:GetUser action"[:70])
	w.must("AddUserToGroup", m{"GroupName": "g", "UserName": "u"})
	if out := w.mustAs(u, "GetUser", nil); out["User"].(m)["UserName"] != "u" {
		t.Errorf("%v", out)
	}
	if out := w.must("GetGroup", m{"GroupName": "g"}); len(out["Users"].([]any)) != 1 {
		t.Errorf("%v", out)
	}
	w.fails(w.admin, "DeleteGroup", m{"GroupName": "g"}, "DeleteConflict")
	w.must("RemoveUserFromGroup", m{"GroupName": "g", "UserName": "u"})
	w.fails(u, "GetUser", nil, "AccessDenied")
}

func TestListsArePaged(t *testing.T) {
	w := newWorld(t)
	for i := range 5 {
		w.must("CreateUser", m{"UserName": fmt.Sprint("p", i), "Path": "/team/"})
	}
	var names []string
	marker := ""
	for {
		in := m{"PathPrefix": "/team/", "MaxItems": 2}
		if marker != "" {
			in["Marker"] = marker
		}
		out := w.must("ListUsers", in)
		for _, u := range out["Users"].([]any) {
			names = append(names, u.(m)["UserName"].(string))
		}
		if out["IsTruncated"] != true {
			break
		}
		marker = out["Marker"].(string)
	}
	if got := strings.Join(names, " "); got != "p0 p1 p2 p3 p4" {
		t.Error(got)
	}
}

func TestAccountDetails(t *testing.T) {
	w := newWorld(t)
	w.role("r", trustAccount, "s3:*")
	w.must("CreateGroup", m{"GroupName": "g"})
	out := w.must("GetAccountAuthorizationDetails", nil)
	for _, list := range []string{"UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"} {
		if items, _ := out[list].([]any); len(items) != 1 {
			t.Errorf("%s has %d items", list, len(items))
		}
	}
	summary := w.must("GetAccountSummary", nil)["SummaryMap"].(m)
	if summary["Roles"] != 1.0 || summary["AccountAccessKeysPresent"] != 0.0 || summary["UserPolicySizeQuota"] != 2048.0 {
		t.Errorf("%v", summary)
	}
	w.must("ListAccountAliases", nil)
	last := w.must("GetAccessKeyLastUsed", m{"AccessKeyId": w.adminKey[0]})
	if last["UserName"] != "roost" || last["AccessKeyLastUsed"].(m)["ServiceName"] != "iam" {
		t.Errorf("%v", last)
	}
}

// The conditions of the Service Authorization Reference that an operation sets.
func TestConditionsOfIAM(t *testing.T) {
	w := newWorld(t)
	boundary := w.must("CreatePolicy", m{"PolicyName": "b", "PolicyDocument": policy("s3:*")})["Policy"].(m)["Arn"].(string)
	u := w.user("u")
	w.must("PutUserPolicy", m{"UserName": "u", "PolicyName": "may", "PolicyDocument": `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["iam:CreateRole","iam:AttachRolePolicy"],"Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"` + boundary + `"}}},
		{"Effect":"Allow","Action":"iam:TagRole","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]},"StringEquals":{"aws:ResourceTag/owner":"u"}}},
		{"Effect":"Allow","Action":"iam:DetachRolePolicy","Resource":"*","Condition":{"ArnLike":{"iam:PolicyARN":"arn:aws:iam::aws:policy/AmazonS3*"}}}]}`})
	w.fails(u, "CreateRole", m{"RoleName": "a", "AssumeRolePolicyDocument": trustAccount}, "AccessDenied")
	w.mustAs(u, "CreateRole", m{"RoleName": "a", "AssumeRolePolicyDocument": trustAccount, "PermissionsBoundary": boundary})
	w.mustAs(u, "AttachRolePolicy", m{"RoleName": "a", "PolicyArn": "arn:aws:iam::aws:policy/AmazonS3FullAccess"})
	w.mustAs(u, "AttachRolePolicy", m{"RoleName": "a", "PolicyArn": "arn:aws:iam::aws:policy/IAMFullAccess"})
	w.fails(u, "DetachRolePolicy", m{"RoleName": "a", "PolicyArn": "arn:aws:iam::aws:policy/IAMFullAccess"}, "AccessDenied")
	w.mustAs(u, "DetachRolePolicy", m{"RoleName": "a", "PolicyArn": "arn:aws:iam::aws:policy/AmazonS3FullAccess"})
	team := m{"RoleName": "a", "Tags": []m{{"Key": "team", "Value": "red"}}}
	w.fails(u, "TagRole", team, "AccessDenied")
	w.must("TagRole", m{"RoleName": "a", "Tags": []m{{"Key": "owner", "Value": "u"}}})
	w.mustAs(u, "TagRole", team)
	w.fails(u, "TagRole", m{"RoleName": "a", "Tags": []m{{"Key": "owner", "Value": "v"}}}, "AccessDenied")
}
