package identity

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost/internal/region/store"
)

func TestSignInWithTwitter(t *testing.T) {
	w := newWorld(t)
	pool := w.newPool(nil)
	alice := w.getID(pool, as("alice"))
	if !regexp.MustCompile(`^us-east-1:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$`).MatchString(alice) {
		t.Errorf("identity id %s", alice)
	}
	if again := w.getID(pool, object{"api.twitter.com": "token-of-alice:secret-of-alice"}); again != alice {
		t.Errorf("with a colon alice is %s, not %s", again, alice)
	}
	w.restart()
	if again := w.getID(pool, as("alice")); again != alice {
		t.Errorf("after a restart alice is %s, not %s", again, alice)
	}
	if bob := w.getID(pool, as("bob")); bob == alice {
		t.Error("two people share an identity")
	}
	if elsewhere := w.getID(w.newPool(nil), as("alice")); elsewhere == alice {
		t.Error("two pools share an identity")
	}
	recorder, out := w.post("GetCredentialsForIdentity", object{"IdentityId": alice, "Logins": as("alice")}, false)
	want := object{"IdentityId": alice, "Credentials": object{"AccessKeyId": "ASIA1", "SecretKey": "secret", "SessionToken": "session", "Expiration": 1800000000.0}}
	if diff := cmp.Diff(want, out); diff != "" || recorder.Code != 200 {
		t.Errorf("credentials (-want +got):\n%s", diff)
	}
	wantSession := SessionRequest{
		RoleARN: "arn:aws:iam::123456789012:role/auth", Name: "CognitoIdentityCredentials", IdentityID: alice, PoolID: pool,
		AMR: []string{"authenticated", "api.twitter.com", "api.twitter.com:" + pool + ":id-alice"}, Tags: map[string]string{}, Seconds: 3600,
	}
	if diff := cmp.Diff(wantSession, w.lastAssumed()); diff != "" {
		t.Errorf("session (-want +got):\n%s", diff)
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	pool := w.newPool(object{"CognitoIdentityProviders": []object{{"ProviderName": "cognito-idp.us-east-1.amazonaws.com/p", "ClientId": "c"}}})
	wrongPair := w.newPool(object{"SupportedLoginProviders": object{"api.twitter.com": "another;app", "graph.facebook.com": "1"}})
	providerless := w.newPool(object{"SupportedLoginProviders": object{}})
	malformed := w.newPool(object{"SupportedLoginProviders": object{"api.twitter.com": "key"}})
	alice, bob := w.getID(pool, as("alice")), w.getID(pool, as("bob"))
	const unknown = "us-east-1:00000000-0000-4000-8000-000000000000"
	notAuthorized, notFound := "NotAuthorizedException", "ResourceNotFoundException"
	for _, test := range []struct {
		operation     string
		in            object
		code, message string
	}{
		{"GetId", object{"IdentityPoolId": unknown, "Logins": as("alice")}, notFound, "IdentityPool '" + unknown + "' not found."},
		{"GetId", object{"IdentityPoolId": pool, "AccountId": "000000000000", "Logins": as("alice")}, notFound, "IdentityPool '" + pool + "' not found."},
		{"GetId", object{"IdentityPoolId": "a b"}, "ValidationException", `1 validation error detected: Value 'a b' at 'identityPoolId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w-]+:[0-9a-f-]+`},
		{"GetId", object{"IdentityPoolId": pool}, notAuthorized, "Unauthenticated access is not supported for this identity pool."},
		{"GetId", object{"IdentityPoolId": pool, "Logins": object{"graph.facebook.com": "x"}}, notAuthorized, "Token is not from a supported provider of this identity pool."},
		{"GetId", object{"IdentityPoolId": pool, "Logins": object{"api.twitter.com": "invented;token"}}, notAuthorized, "Invalid login token. Twitter refuses it."},
		{"GetId", object{"IdentityPoolId": pool, "Logins": object{"api.twitter.com": "no separator"}}, notAuthorized, "Invalid login token. It is not of the form TOKEN;SECRET."},
		{"GetId", object{"IdentityPoolId": wrongPair, "Logins": as("alice")}, notAuthorized, "Invalid login token. Twitter refuses it."},
		{"GetId", object{"IdentityPoolId": wrongPair, "Logins": object{"graph.facebook.com": "x"}}, notAuthorized, "roost does not support signing in with graph.facebook.com yet: it would have to believe the token unread"},
		{"GetId", object{"IdentityPoolId": pool, "Logins": object{"cognito-idp.us-east-1.amazonaws.com/p": "x"}}, notAuthorized, "roost does not support signing in with cognito-idp.us-east-1.amazonaws.com/p yet: it would have to believe the token unread"},
		{"GetId", object{"IdentityPoolId": malformed, "Logins": as("alice")}, "InvalidIdentityPoolConfigurationException", "Invalid identity pool configuration. The value of api.twitter.com must be CONSUMER_KEY;CONSUMER_SECRET."},
		{"GetId", object{"IdentityPoolId": providerless, "Logins": as("alice")}, notAuthorized, "Logins don't match. Please include at least one valid login for this identity or identity pool."},
		{"GetCredentialsForIdentity", object{"IdentityId": unknown, "Logins": as("alice")}, notFound, "Identity '" + unknown + "' not found."},
		{"GetCredentialsForIdentity", object{"IdentityId": bob, "Logins": as("alice")}, notAuthorized, "Logins don't match. Please include at least one valid login for this identity or identity pool."},
		{"GetCredentialsForIdentity", object{"IdentityId": bob, "Logins": as("carol")}, notAuthorized, "Logins don't match. Please include at least one valid login for this identity or identity pool."},
		{"GetCredentialsForIdentity", object{"IdentityId": alice}, notAuthorized, "Unauthenticated access is not supported for this identity pool."},
		{"GetCredentialsForIdentity", object{"IdentityId": alice, "Logins": as("alice"), "CustomRoleArn": "arn:aws:iam::123456789012:role/other"}, notAuthorized, "CustomRoleArn is not among the roles of the login's token."},
		{"GetOpenIdToken", object{"IdentityId": alice, "Logins": as("alice")}, "InvalidParameterException", "Basic (classic) flow is not enabled, please use enhanced flow."},
		{"CreateIdentityPool", object{"IdentityPoolName": "no!", "AllowUnauthenticatedIdentities": true}, "InvalidParameterException", `1 validation error detected: Value 'no!' at 'identityPoolName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w\s+=,.@-]+`},
		{"CreateIdentityPool", object{"IdentityPoolName": "x"}, "ValidationException", "CreateIdentityPool: the member AllowUnauthenticatedIdentities is missing"},
		{"CreateIdentityPool", object{"IdentityPoolName": "x", "AllowUnauthenticatedIdentities": true, "Pets": 1}, "ValidationException", `CreateIdentityPool: roost does not support the member "Pets"`},
		{"SetIdentityPoolRoles", object{"IdentityPoolId": pool, "Roles": object{"admin": "arn:aws:iam::123456789012:role/x"}}, "ValidationException", "1 validation error detected: Value 'admin' at 'roles' failed to satisfy constraint: Member must satisfy regular expression pattern: (un)?authenticated"},
		{"ListIdentities", object{"IdentityPoolId": pool, "MaxResults": 61}, "ValidationException", "1 validation error detected: Value '61' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and 60"},
	} {
		w.refused(test.operation, test.in, test.code, test.message)
	}
	if got := w.getID(pool, as("carol")); got == bob {
		t.Error("a refused sign-in linked carol to bob's identity")
	}
}

func TestErrorsAreCognitos(t *testing.T) {
	w := newWorld(t)
	recorder, _ := w.post("GetId", object{"IdentityPoolId": w.newPool(nil)}, false)
	got := recorder.Header()
	want := map[string]string{
		"x-amzn-ErrorType": "NotAuthorizedException:", "x-amzn-ErrorMessage": "Unauthenticated access is not supported for this identity pool.",
		"x-amzn-RequestId": "request-id", "Content-Type": "application/x-amz-json-1.1",
	}
	for name, value := range want {
		if got.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, got.Get(name), value)
		}
	}
}

func TestAProviderThatIsDown(t *testing.T) {
	w := newWorld(t)
	pool := w.newPool(nil)
	alice := w.getID(pool, as("alice"))
	w.twitter.down.Store(true)
	for range 2 {
		w.refused("GetCredentialsForIdentity", object{"IdentityId": alice, "Logins": as("alice")}, "ExternalServiceException", "api.twitter.com is not responding. Try again later.")
		w.twitter.CloseClientConnections()
		w.twitter.Close()
	}
}

func TestManyPeopleSignInAtOnce(t *testing.T) {
	w := newWorld(t)
	pool := w.newPool(nil)
	ids := make([]string, 200)
	var wait sync.WaitGroup
	for i := range ids {
		wait.Go(func() {
			ids[i] = w.getID(pool, as(fmt.Sprint("person", i/2))) // each person twice
			w.do("GetCredentialsForIdentity", object{"IdentityId": ids[i], "Logins": as(fmt.Sprint("person", i/2))})
		})
	}
	wait.Wait()
	seen := make(map[string]bool)
	for i := 0; i < len(ids); i += 2 {
		if ids[i] != ids[i+1] || seen[ids[i]] {
			t.Fatalf("person %d has %s and %s", i/2, ids[i], ids[i+1])
		}
		seen[ids[i]] = true
	}
}

func TestGuests(t *testing.T) {
	w := newWorld(t)
	pool := w.newPool(object{"AllowUnauthenticatedIdentities": true})
	guest, other := w.getID(pool, nil), w.getID(pool, nil)
	if guest == other {
		t.Error("two guests share an identity")
	}
	w.do("GetCredentialsForIdentity", object{"IdentityId": guest})
	got := w.lastAssumed()
	if got.RoleARN != "arn:aws:iam::123456789012:role/guest" || cmp.Diff(got.AMR, []string{"unauthenticated"}) != "" {
		t.Errorf("got %+v", got)
	}
	if len(got.Policies) != 1 || !json.Valid([]byte(got.Policies[0])) || !strings.Contains(got.Policies[0], `"execute-api:*"`) || strings.Contains(got.Policies[0], "iam") ||
		cmp.Diff(got.PolicyARNs, []string{"arn:aws:iam::aws:policy/AmazonCognitoUnAuthedIdentitiesSessionPolicy"}) != "" {
		t.Errorf("a guest is not held to the scope-down: %+v", got)
	}
	// A guest who signs in keeps the identity, and then needs the login.
	w.do("GetCredentialsForIdentity", object{"IdentityId": guest, "Logins": as("alice")})
	if got := w.lastAssumed(); got.RoleARN != "arn:aws:iam::123456789012:role/auth" || got.Policies != nil {
		t.Errorf("got %+v", got)
	}
	if alice := w.getID(pool, as("alice")); alice != guest {
		t.Errorf("alice is %s, not %s", alice, guest)
	}
	w.refused("GetCredentialsForIdentity", object{"IdentityId": guest}, "NotAuthorizedException", loginsDontMatch().Message)
	w.refused("GetCredentialsForIdentity", object{"IdentityId": other, "Logins": as("alice")}, "ResourceConflictException", loginTaken().Message)
	w.refused("GetCredentialsForIdentity", object{"IdentityId": guest, "Logins": as("bob")}, "NotAuthorizedException", loginsDontMatch().Message)
}

func TestPoolsThatAreMisconfigured(t *testing.T) {
	w := newWorld(t)
	pool := w.newPool(nil)
	alice := w.getID(pool, as("alice"))
	ask := object{"IdentityId": alice, "Logins": as("alice")}
	for _, roles := range []object{{}, {"unauthenticated": "arn:aws:iam::123456789012:role/guest"}, {"authenticated": "arn:aws:iam::123456789012:role/untrusting"}} {
		if len(roles) > 0 {
			w.do("SetIdentityPoolRoles", object{"IdentityPoolId": pool, "Roles": roles})
		} else {
			pool := w.do("CreateIdentityPool", object{"IdentityPoolName": "no roles", "AllowUnauthenticatedIdentities": true})["IdentityPoolId"].(string)
			ask = object{"IdentityId": w.getID(pool, nil)}
		}
		w.refused("GetCredentialsForIdentity", ask, "InvalidIdentityPoolConfigurationException", "Invalid identity pool configuration. Check assigned IAM roles for this pool.")
		ask = object{"IdentityId": alice, "Logins": as("alice")}
	}
}

func TestPoolsAreKeptAsTheyAreMade(t *testing.T) {
	w := newWorld(t)
	in := object{
		"IdentityPoolName": "all", "AllowUnauthenticatedIdentities": true, "AllowClassicFlow": true,
		"SupportedLoginProviders": object{"api.twitter.com": "k;s", "accounts.google.com": "g"}, "DeveloperProviderName": "login.example",
		"OpenIdConnectProviderARNs": []any{"arn:aws:iam::123456789012:oidc-provider/issuer.example"}, "SamlProviderARNs": []any{"arn:aws:iam::123456789012:saml-provider/x"},
		"CognitoIdentityProviders": []any{object{"ProviderName": "cognito-idp.us-east-1.amazonaws.com/p", "ClientId": "c", "ServerSideTokenCheck": true}},
		"IdentityPoolTags":         object{"a": "b"},
	}
	created := w.do("CreateIdentityPool", in)
	id := created["IdentityPoolId"].(string)
	in["IdentityPoolId"] = id
	for _, got := range []object{created, w.do("DescribeIdentityPool", object{"IdentityPoolId": id})} {
		if diff := cmp.Diff(in, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if name, secrets := w.pools.Consumers("k"); name != "all" || cmp.Diff(secrets, []string{"s"}) != "" {
		t.Errorf("the consumer is %q, %q", name, secrets)
	}
	if _, secrets := w.pools.Consumers("s"); secrets != nil {
		t.Errorf("a secret was taken for a key: %q", secrets)
	}
	arn := "arn:aws:cognito-identity:us-east-1:123456789012:identitypool/" + id
	w.do("TagResource", object{"ResourceArn": arn, "Tags": object{"c": ""}})
	w.do("UntagResource", object{"ResourceArn": arn, "TagKeys": []string{"a"}})
	if diff := cmp.Diff(object{"Tags": object{"c": ""}}, w.do("ListTagsForResource", object{"ResourceArn": arn})); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	small := object{"IdentityPoolId": id, "IdentityPoolName": "less", "AllowUnauthenticatedIdentities": false, "DeveloperProviderName": "login.example"}
	w.do("UpdateIdentityPool", small)
	if diff := cmp.Diff(small, w.do("DescribeIdentityPool", object{"IdentityPoolId": id})); diff != "" {
		t.Errorf("updated (-want +got):\n%s", diff)
	}
	roles := object{"IdentityPoolId": id, "Roles": object{"authenticated": "arn:aws:iam::123456789012:role/x"}, "RoleMappings": object{
		"accounts.google.com": object{"Type": "Rules", "AmbiguousRoleResolution": "Deny", "RulesConfiguration": object{"Rules": []any{
			object{"Claim": "c", "MatchType": "Equals", "Value": "v", "RoleARN": "arn:aws:iam::123456789012:role/y"}}}}}}
	w.do("SetIdentityPoolRoles", roles)
	if diff := cmp.Diff(roles, w.do("GetIdentityPoolRoles", object{"IdentityPoolId": id})); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
	tagMap := object{"IdentityPoolId": id, "IdentityProviderName": "accounts.google.com", "PrincipalTags": object{"team": "hd"}}
	w.do("SetPrincipalTagAttributeMap", tagMap)
	if diff := cmp.Diff(tagMap, w.do("GetPrincipalTagAttributeMap", object{"IdentityPoolId": id, "IdentityProviderName": "accounts.google.com"})); diff != "" {
		t.Errorf("tag map (-want +got):\n%s", diff)
	}
}

func TestListsComeInPages(t *testing.T) {
	w := newWorld(t)
	pool := w.newPool(object{"AllowUnauthenticatedIdentities": true})
	want := map[string]bool{}
	for range 5 {
		want[w.getID(pool, nil)] = true
		w.newPool(nil)
	}
	seen, token, pages := map[string]bool{}, any(nil), 0
	for {
		out := w.do("ListIdentities", object{"IdentityPoolId": pool, "MaxResults": 2, "NextToken": token})
		for _, item := range out["Identities"].([]any) {
			seen[item.(object)["IdentityId"].(string)] = true
		}
		pages++
		if token = out["NextToken"]; token == nil {
			break
		}
	}
	if diff := cmp.Diff(want, seen); diff != "" || pages != 3 {
		t.Errorf("%d pages, (-want +got):\n%s", pages, diff)
	}
	first := w.do("ListIdentityPools", object{"MaxResults": 4})
	second := w.do("ListIdentityPools", object{"MaxResults": 4, "NextToken": first["NextToken"]})
	if len(first["IdentityPools"].([]any)) != 4 || len(second["IdentityPools"].([]any)) != 2 || second["NextToken"] != nil {
		t.Errorf("pools: %v and then %v", first, second)
	}
}

func TestIdentitiesAndPoolsThatAreDeleted(t *testing.T) {
	w := newWorld(t)
	pool := w.newPool(nil)
	alice, bob := w.getID(pool, as("alice")), w.getID(pool, as("bob"))
	described := w.do("DescribeIdentity", object{"IdentityId": alice})
	if described["IdentityId"] != alice || cmp.Diff(described["Logins"], []any{"api.twitter.com"}) != "" {
		t.Errorf("described: %v", described)
	}
	if out := w.do("DeleteIdentities", object{"IdentityIdsToDelete": []string{alice}}); len(out["UnprocessedIdentityIds"].([]any)) != 0 {
		t.Errorf("unprocessed: %v", out)
	}
	w.refused("DescribeIdentity", object{"IdentityId": alice}, "ResourceNotFoundException", "Identity '"+alice+"' not found.")
	if again := w.getID(pool, as("alice")); again == alice {
		t.Error("a deleted identity came back")
	}
	w.do("DeleteIdentityPool", object{"IdentityPoolId": pool})
	w.refused("GetCredentialsForIdentity", object{"IdentityId": bob, "Logins": as("bob")}, "ResourceNotFoundException", "Identity '"+bob+"' not found.")
	if _, secrets := w.pools.Consumers("key"); secrets != nil {
		t.Error("a deleted pool still has its consumer")
	}
	err := w.config.Store.View(t.Context(), func(tx *store.Tx) error {
		for _, kind := range []string{kindPool, kindIdentity, kindMember, kindLogin} {
			if items, err := tx.List(kind, ""); err != nil || len(items) != 0 {
				t.Errorf("left of %s: %v, %v", kind, items, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestUnlinking(t *testing.T) {
	w := newWorld(t)
	pool := w.newPool(nil)
	alice := w.getID(pool, as("alice"))
	w.refused("UnlinkIdentity", object{"IdentityId": alice, "Logins": as("bob"), "LoginsToRemove": []string{"api.twitter.com"}}, "NotAuthorizedException", loginsDontMatch().Message)
	w.do("UnlinkIdentity", object{"IdentityId": alice, "Logins": as("alice"), "LoginsToRemove": []string{"api.twitter.com"}})
	w.refused("GetCredentialsForIdentity", object{"IdentityId": alice, "Logins": as("alice")}, "ResourceNotFoundException", "Identity '"+alice+"' not found.")
	if again := w.getID(pool, as("alice")); again == alice {
		t.Error("an unlinked identity was found by its login")
	}
	hidden := w.do("ListIdentities", object{"IdentityPoolId": pool, "MaxResults": 10, "HideDisabled": true})
	if all := w.do("ListIdentities", object{"IdentityPoolId": pool, "MaxResults": 10}); len(all["Identities"].([]any)) != 2 || len(hidden["Identities"].([]any)) != 1 {
		t.Errorf("all %v, hidden %v", all, hidden)
	}
}

func TestConfigIsChecked(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("an empty configuration was taken")
	}
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
