// A function with the standard library's router.
package main

import (
	"net/http"

	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"guests/formats"
	"guests/routes"
)

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /query", routes.Query)
	mux.HandleFunc("GET /cookies", routes.Cookies)
	mux.HandleFunc("POST /upload", routes.Upload)
	mux.HandleFunc("POST /text", routes.Text)
	mux.HandleFunc("POST /form", routes.Form)
	mux.HandleFunc("POST /file", routes.File)
	mux.HandleFunc("GET /download", routes.Download)
	mux.HandleFunc("GET /squeezed", routes.Squeezed)
	mux.HandleFunc("GET /redirect", routes.Redirect)
	mux.HandleFunc("GET /items/{id}", routes.Item(func(r *http.Request) string { return r.PathValue("id") }))
	mux.HandleFunc("DELETE /items/{id}", routes.Nothing)
	mux.HandleFunc("HEAD /head", routes.Head)
	mux.HandleFunc("GET /cached", routes.Cached)
	mux.HandleFunc("GET /tags", routes.Tags)
	mux.HandleFunc("GET /event", routes.Event)
	formats.Start(httpadapter.New(mux).ProxyWithContext, httpadapter.NewV2(mux).ProxyWithContext)
}
