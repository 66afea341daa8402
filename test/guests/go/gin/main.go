// A function with gin.
package main

import (
	"io"
	"net/http"

	ginadapter "github.com/awslabs/aws-lambda-go-api-proxy/gin"
	"github.com/gin-gonic/gin"

	"guests/formats"
	"guests/routes"
)

func main() {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.GET("/query", func(c *gin.Context) { c.JSON(http.StatusOK, c.Request.URL.Query()) })
	engine.GET("/cookies", cookies)
	engine.POST("/upload", upload)
	engine.POST("/text", text)
	engine.POST("/form", form)
	engine.POST("/file", file)
	engine.GET("/download", func(c *gin.Context) { c.Data(http.StatusOK, "application/octet-stream", routes.Bytes()) })
	engine.GET("/squeezed", squeezed)
	engine.GET("/redirect", func(c *gin.Context) { c.Redirect(http.StatusFound, "/query?from=redirect") })
	engine.GET("/items/:id", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"id": c.Param("id")}) })
	engine.DELETE("/items/:id", func(c *gin.Context) { c.Status(http.StatusNoContent) })
	engine.HEAD("/head", func(c *gin.Context) { c.Header("X-Head", "yes") })
	engine.GET("/cached", cached)
	engine.GET("/tags", tags)
	engine.GET("/event", func(c *gin.Context) { c.JSON(http.StatusOK, formats.Of(c.Request)) })
	formats.Start(ginadapter.New(engine).ProxyWithContext, ginadapter.NewV2(engine).ProxyWithContext)
}

func cookies(c *gin.Context) {
	got := gin.H{}
	for _, one := range c.Request.Cookies() {
		got[one.Name], _ = c.Cookie(one.Name)
	}
	c.SetCookie("one", "1", 0, "/", "", false, false)
	c.SetCookie("two", "2", 0, "/", "", false, true)
	c.JSON(http.StatusOK, got)
}

func upload(c *gin.Context) {
	body, err := c.GetRawData()
	if err != nil {
		c.AbortWithError(http.StatusBadRequest, err)
		return
	}
	c.JSON(http.StatusOK, routes.Sum(c.GetHeader("Content-Type"), body))
}

func text(c *gin.Context) {
	body, _ := c.GetRawData()
	c.Data(http.StatusOK, "text/plain; charset=utf-8", body)
}

func form(c *gin.Context) {
	c.PostForm("name") // parses
	c.JSON(http.StatusOK, c.Request.PostForm)
}

func file(c *gin.Context) {
	header, err := c.FormFile("file")
	if err != nil {
		c.AbortWithError(http.StatusBadRequest, err)
		return
	}
	content, err := header.Open()
	if err != nil {
		c.AbortWithError(http.StatusBadRequest, err)
		return
	}
	body, _ := io.ReadAll(content)
	c.JSON(http.StatusOK, routes.Sum(header.Filename, body))
}

func squeezed(c *gin.Context) {
	c.Header("Content-Encoding", "gzip")
	c.Data(http.StatusOK, "text/plain; charset=utf-8", routes.Squeeze())
}

func cached(c *gin.Context) {
	c.Header("ETag", `"v1"`)
	if c.GetHeader("If-None-Match") == `"v1"` {
		c.Status(http.StatusNotModified)
		return
	}
	c.JSON(http.StatusOK, "fresh")
}

func tags(c *gin.Context) {
	values := c.Request.Header.Values("X-Tag")
	for _, tag := range values {
		c.Writer.Header().Add("X-Got", tag)
	}
	c.JSON(http.StatusOK, values)
}
