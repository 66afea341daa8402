// A function with chi.
package main

import (
	"net/http"

	chiadapter "github.com/awslabs/aws-lambda-go-api-proxy/chi"
	"github.com/go-chi/chi/v5"

	"guests/formats"
	"guests/routes"
)

func main() {
	router := chi.NewRouter()
	router.Get("/query", routes.Query)
	router.Get("/cookies", routes.Cookies)
	router.Post("/upload", routes.Upload)
	router.Post("/text", routes.Text)
	router.Post("/form", routes.Form)
	router.Post("/file", routes.File)
	router.Get("/download", routes.Download)
	router.Get("/squeezed", routes.Squeezed)
	router.Get("/redirect", routes.Redirect)
	router.Route("/items/{id}", func(items chi.Router) {
		items.Get("/", routes.Item(func(r *http.Request) string { return chi.URLParam(r, "id") }))
		items.Delete("/", routes.Nothing)
	})
	router.Head("/head", routes.Head)
	router.Get("/cached", routes.Cached)
	router.Get("/tags", routes.Tags)
	router.Get("/event", routes.Event)
	formats.Start(chiadapter.New(router).ProxyWithContext, chiadapter.NewV2(router).ProxyWithContextV2)
}
