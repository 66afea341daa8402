package roost_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/seed-615d3599/roost"
	"github.com/seed-615d3599/roost/internal/need"
)

// What the tutorial's app has at SST and not here, or otherwise, and why.
// Everything else has to be the same.
func fixtureOnly(id string) bool {
	switch {
	case id == "CDKMetadata": // the versions of CDK's modules
		return true
	case id == "AuthIdentityPoolUnauthRoleDefaultPolicy0417F857":
		return true // permissions for services that AWS has ended
	}
	return false
}

// normalize makes resources of both comparable where they are meant to differ.
func normalize(r *resource, hashes map[string]string) {
	p := r.Properties
	r.Metadata = nil
	switch r.Type {
	case "AWS::Lambda::Function":
		for _, property := range []string{"Code", "Runtime", "Architectures", "Environment"} {
			delete(p, property)
		}
		role, err := json.Marshal(p["Role"])
		if err != nil {
			panic(err)
		}
		// SST says once more that the function waits for the role that it names.
		r.DependsOn = slices.DeleteFunc(r.DependsOn, func(id string) bool { return strings.Contains(string(role), `"`+id+`"`) })
	case "AWS::Logs::LogGroup":
		delete(p, "RetentionInDays")
		r.DeletionPolicy = ""
	case "AWS::Cognito::IdentityPool":
		delete(p, "SupportedLoginProviders")
	case "AWS::IAM::Policy":
		// SST permits people who signed in to do what they like to all identity
		// pools of the account.
		statements := p["PolicyDocument"].(map[string]any)["Statement"].([]any)
		if first := statements[0].(map[string]any); first["Resource"] == "*" && len(statements) > 1 {
			p["PolicyDocument"].(map[string]any)["Statement"] = statements[1:]
		}
	}
	text, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	changed := string(text)
	for from, to := range hashes {
		changed = strings.ReplaceAll(changed, from, to)
	}
	// The tutorial writes the partition out; ours is that of the region.
	changed = strings.ReplaceAll(changed, `"arn:",{"Ref":"AWS::Partition"},":execute-api`, `"arn:aws:execute-api`)
	var out resource
	if err := json.Unmarshal([]byte(changed), &out); err != nil {
		panic(err)
	}
	*r = out
}

// integrations maps the logical ids of integrations to the functions that they
// call. SST's ids hash a number that CDK counted up while it ran, so that no
// rule gives them.
func integrations(t template) map[string]string {
	out := map[string]string{}
	for id, r := range t.Resources {
		if r.Type != "AWS::ApiGatewayV2::Integration" {
			continue
		}
		text, err := json.Marshal(r.Properties["IntegrationUri"])
		if err != nil {
			panic(err)
		}
		function := regexp.MustCompile(`ApiLambda\w+`).Find(text)
		out[id] = "IntegrationOf" + string(function)
	}
	return out
}

func TestSameResourcesAsSST(t *testing.T) {
	var want template
	readJSON(t, &want, need.Shared(t, "fixtures", "tutorial-sst-0.9.7", "dev-rest-api-auth-twitter-my-stack.template.json"))
	got := readTemplate(t, synth(t, func(app *roost.App) {
		stack := app.Stack("my-stack")
		api := stack.API("Api", roost.APIProps{
			DefaultAuthorization: roost.AWSIAM,
			DefaultFunctionProps: roost.FunctionProps{LogRetention: roost.Forever},
			Routes: roost.Routes{
				"GET /private": {Handler: "src/private.main"},
				"GET /public":  {Handler: "src/public.main", Authorization: roost.None},
			},
		})
		auth := stack.Auth("Auth", roost.AuthProps{AllowGuests: true, Twitter: &roost.Twitter{ConsumerKey: "k", ConsumerSecret: "s"}})
		auth.AttachPermissionsForAuthUsers(roost.Allow("execute-api:Invoke", api.ExecuteARN("/*")))
		stack.Output("ApiEndpoint", api.Endpoint())
		stack.Output("IdentityPoolId", auth.IdentityPoolID())
	}), "my-stack")
	if diff := cmp.Diff(want.Outputs, got.Outputs); diff != "" {
		t.Errorf("outputs differ (-SST +Roost):\n%s", diff)
	}
	if diff := cmp.Diff(sameShape(want), sameShape(got)); diff != "" {
		t.Errorf("resources differ (-SST +Roost):\n%s", diff)
	}
}

func sameShape(t template) map[string]resource {
	hashes := integrations(t)
	out := map[string]resource{}
	for id, r := range t.Resources {
		if fixtureOnly(id) {
			continue
		}
		normalize(&r, hashes)
		if name := hashes[id]; name != "" {
			id = name
		}
		out[id] = r
	}
	return out
}
