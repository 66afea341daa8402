// Package examples holds the files of the example apps, from which "roost new"
// makes new ones: what you get is what is tested here.
package examples

import "embed"

// Files returns the apps' files, each app under the name of its folder.
func Files() embed.FS { return files }

//go:embed rest-api-auth-twitter/lib/main.go rest-api-auth-twitter/src/*/main.go
//go:embed rest-api-auth-twitter/roost.json rest-api-auth-twitter/.env
//go:embed rest-api-auth-twitter-node/lib/main.go rest-api-auth-twitter-node/src/*.js
//go:embed rest-api-auth-twitter-node/roost.json rest-api-auth-twitter-node/.env
//go:embed rest-api-auth-twitter-typescript/lib/main.go rest-api-auth-twitter-typescript/src/*.ts
//go:embed rest-api-auth-twitter-typescript/roost.json rest-api-auth-twitter-typescript/.env
//go:embed rest-api-auth-twitter-typescript/tsconfig.json
var files embed.FS
