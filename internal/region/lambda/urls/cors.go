package urls

import (
	"net/http"
	"strconv"
	"strings"
)

// preflight answers a CORS preflight of a URL that has a CORS configuration.
func (c *call) preflight() bool {
	if c.config.Cors == nil || c.r.Method != http.MethodOptions ||
		c.r.Header.Get("Origin") == "" || c.r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	c.cors()
	header, config := c.w.Header(), c.config.Cors
	if header.Get("Access-Control-Allow-Origin") != "" {
		setList(header, "Access-Control-Allow-Methods", config.AllowMethods)
		setList(header, "Access-Control-Allow-Headers", config.AllowHeaders)
		if config.MaxAge != nil {
			header.Set("Access-Control-Max-Age", strconv.Itoa(*config.MaxAge))
		}
	}
	c.w.WriteHeader(http.StatusOK)
	return true
}

// cors sets the headers that the actual answer carries.
func (c *call) cors() {
	config, origin := c.config.Cors, c.r.Header.Get("Origin")
	if config == nil || origin == "" || !allowed(config.AllowOrigins, origin) {
		return
	}
	header := c.w.Header()
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Vary", "Origin")
	if config.AllowCredentials != nil && *config.AllowCredentials {
		header.Set("Access-Control-Allow-Credentials", "true")
	}
	setList(header, "Access-Control-Expose-Headers", config.ExposeHeaders)
}

// allowed knows exact origins, * and patterns such as http://*.
func allowed(origins []string, origin string) bool {
	for _, o := range origins {
		prefix, wild := strings.CutSuffix(o, "*")
		if o == origin || wild && strings.HasPrefix(origin, prefix) {
			return true
		}
	}
	return false
}

func setList(header http.Header, name string, values []string) {
	if len(values) > 0 {
		header.Set(name, strings.Join(values, ","))
	}
}
