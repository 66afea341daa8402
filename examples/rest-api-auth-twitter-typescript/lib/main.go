// Command lib describes the app: an API with a private and a public route, and
// sign-in with Twitter.
package main

import "github.com/seed-615d3599/roost"

func main() {
	roost.Main(func(app *roost.App) {
		stack := app.Stack("my-stack")

		// The API. Callers need AWS credentials unless a route says otherwise.
		api := stack.API("Api", roost.APIProps{
			DefaultAuthorization: roost.AWSIAM,
			Routes: roost.Routes{
				"GET /private": {Handler: "src/private.main"},
				"GET /public":  {Handler: "src/public.main", Authorization: roost.None},
			},
		})

		// People sign in with Twitter and get credentials for the API.
		auth := stack.Auth("Auth", roost.AuthProps{
			Twitter: &roost.Twitter{
				ConsumerKey:    roost.Secret("TWITTER_CONSUMER_KEY"),
				ConsumerSecret: roost.Secret("TWITTER_CONSUMER_SECRET"),
			},
		})
		auth.AttachPermissionsForAuthUsers(roost.Allow("execute-api:Invoke", api.ExecuteARN("/*")))

		stack.Output("ApiEndpoint", api.Endpoint())
		stack.Output("IdentityPoolId", auth.IdentityPoolID())
	})
}
