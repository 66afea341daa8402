package app_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-615d3599/roost/roosttest"
)

// start deploys the app to a region of the test's own.
func start(t *testing.T) *roosttest.Region {
	t.Helper()
	return roosttest.Start(t, roosttest.Config{Dir: ".", Env: map[string]string{
		"TWITTER_CONSUMER_KEY": "key-of-a-test", "TWITTER_CONSUMER_SECRET": "secret-of-a-test",
	}})
}

// get asks for a page and returns the answer and its text.
func get(t *testing.T, client *http.Client, url string) (*http.Response, string) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// TestApp says who may see what.
func TestApp(t *testing.T) {
	region := start(t)
	api := region.API("Api")
	alice := region.SignIn("alice")

	t.Run("everybody sees the public page", func(t *testing.T) {
		resp, text := get(t, http.DefaultClient, api+"/public")
		region.Allowed(t, resp)
		if text != "Hello stranger!" {
			t.Errorf("it says %q", text)
		}
	})
	t.Run("who has signed in sees the private page", func(t *testing.T) {
		resp, text := get(t, alice.Client, api+"/private")
		region.Allowed(t, resp)
		if text != "Hello user!" {
			t.Errorf("it says %q", text)
		}
	})
	t.Run("a stranger does not", func(t *testing.T) {
		resp, _ := get(t, http.DefaultClient, api+"/private")
		region.Denied(t, resp, "missing authentication token")
	})
	t.Run("nor does a function of the app", func(t *testing.T) {
		function := region.Assume("ApiLambdaGETpublicServiceRole")
		resp, _ := get(t, function.Client, api+"/private")
		region.Denied(t, resp, "no identity-based policy allows the execute-api:Invoke action")
	})
}

// TestOthers holds that people are told apart, and known again.
func TestOthers(t *testing.T) {
	region := start(t)
	alice, bob := region.SignIn("alice"), region.SignIn("bob")
	if alice.IdentityID == bob.IdentityID {
		t.Error("alice and bob are one identity")
	}
	if again := region.SignIn("alice"); again.IdentityID != alice.IdentityID {
		t.Error("alice is somebody else the second time")
	}
	// Alice's key with the token of bob's session is nobody's.
	request, err := http.NewRequest(http.MethodGet, region.API("Api")+"/private", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := alice.With(bob.SessionToken).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	region.Denied(t, resp, "security token included in the request is invalid")
}

// TestParallel gives each of many tests a region of its own.
func TestParallel(t *testing.T) {
	region := start(t)
	alice := region.SignIn("alice")
	for i := range 100 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			fork := region.Fork(t)
			resp, _ := get(t, alice.Client, fork.API("Api")+"/private")
			fork.Allowed(t, resp)

			// Here it is two hours later, and only here.
			fork.Advance(2 * time.Hour)
			alice := fork.Holding(alice)
			resp, _ = get(t, alice.Client, fork.API("Api")+"/private")
			fork.Denied(t, resp, "expired")

			again := fork.SignIn("alice")
			if again.IdentityID != alice.IdentityID {
				t.Error("a fork does not know alice")
			}
			resp, _ = get(t, again.Client, fork.API("Api")+"/private")
			fork.Allowed(t, resp)
			if lines := fork.Logs("ApiLambdaGETprivate"); !strings.Contains(strings.Join(lines, "\n"), "START RequestId") {
				t.Errorf("its log is %q", lines)
			}
		})
	}
}
