// Package roost describes a serverless app in Go and turns the description
// into CloudFormation templates.
//
// An app is a folder with a program in lib/, functions in src/ and a
// roost.json that holds its name, stage and region. The program in lib/
// describes the app:
//
//	func main() {
//		roost.Main(func(app *roost.App) {
//			stack := app.Stack("my-stack")
//			api := stack.API("Api", roost.APIProps{
//				DefaultAuthorization: roost.AWSIAM,
//				Routes: roost.Routes{
//					"GET /private": {Handler: "src/private"},
//					"GET /public":  {Handler: "src/public", Authorization: roost.None},
//				},
//			})
//			stack.Output("ApiEndpoint", api.Endpoint())
//		})
//	}
//
// Nothing is built and nothing is deployed by it. It checks what was asked for
// and writes files into a folder; the roost command takes them from there.
// Mistakes are collected, and each is told with the construct, the file and
// line in the program, and what to do about it.
//
// # What the program is given
//
// Main reads these environment variables. Those that are absent are taken from
// the roost.json in the working directory, and then from the default.
//
//	ROOST_NAME     the app's name
//	ROOST_STAGE    the stage, "dev" by default
//	ROOST_REGION   the AWS region, "us-east-1" by default
//	ROOST_ACCOUNT  the account, 12 digits; templates fit any account without it
//	ROOST_LOCAL    "1" where the app is for the embedded region (App.Local)
//	ROOST_DIR      the app's folder, the working directory by default
//	ROOST_OUTPUT   where to write, ROOST_DIR/.roost/stages/<stage>/synth by default
//
// # What the program writes
//
// Into ROOST_OUTPUT go a template for each stack, manifest.json and cdk.out in
// the form of a CDK cloud assembly, and builds.json. Wherever a template needs
// the zip of a function it names a placeholder, and builds.json (see [Builds])
// lists what has to be built for each placeholder. Whoever has built the zips
// puts their hashes in the place of the placeholders and has an assembly that
// any CDK tool can deploy; internal/assembly.Finish does so. The same program
// with the same input writes the same bytes.
//
// The program exits with status 0, or with 1 after it has printed all errors to
// standard error and written nothing.
//
// # Secrets
//
// A [Secret] is a CloudFormation parameter with NoEcho; its value is in none of
// the files. For each such parameter the manifest has, under the metadata of
// the parameter's path, an entry of type "roost:secret" whose data is the name
// of the environment variable that holds the value:
//
//	"/dev-app-my-stack/SecretTwitterConsumerKey": [
//	  {"type": "aws:cdk:logicalId", "data": "SecretTwitterConsumerKey"},
//	  {"type": "roost:secret", "data": "TWITTER_CONSUMER_KEY"}
//	]
package roost

import (
	"fmt"
	"io"
	"os"
)

// Main runs an app's program: it reads the ROOST_ environment variables, lets
// define describe the app, and writes the result. It exits with status 1 when
// there are errors, after printing all of them to standard error.
func Main(define func(app *App)) {
	if code := run(os.Getenv, os.Stderr, define); code != 0 {
		os.Exit(code)
	}
}

func run(getenv func(string) string, stderr io.Writer, define func(*App)) int {
	config, err := ConfigFromEnvironment(getenv)
	if err == nil {
		err = Synth(config, define)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// Synth describes an app and writes it to config.Output. Where the description
// has mistakes nothing is written, and the error joins one *Error for each, in
// the order in which they stand in the program.
func Synth(config Config, define func(app *App)) error {
	app, err := newApp(config)
	if err != nil {
		return err
	}
	define(app)
	out, err := app.render()
	if err != nil {
		return err
	}
	return out.write(app.config.Output)
}
