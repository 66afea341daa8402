package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
)

// startProxy serves httputil.ReverseProxy in front of a plain server: the limit for
// whatever stands in between and speaks HTTP on both sides. Both run in this
// process, so that its processor time is no measure, only its speed.
func startProxy() (string, error) {
	backend, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go http.Serve(backend, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"path":"`+r.URL.Path+`"}`)
	}))
	target := &url.URL{Scheme: "http", Host: backend.Addr().String()}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go http.Serve(front, proxy)
	return "http://" + front.Addr().String(), nil
}
