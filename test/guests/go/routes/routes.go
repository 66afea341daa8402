// Package routes has the answers that functions with net/http's own types give.
package routes

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"guests/formats"
)

// Bytes are all 256 of them, which no text holds.
func Bytes() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

// Sum describes an upload.
func Sum(contentType string, body []byte) map[string]any {
	sum := sha256.Sum256(body)
	return map[string]any{"type": contentType, "length": len(body), "sha256": hex.EncodeToString(sum[:])}
}

func reply(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}

// Query answers with all values of each parameter.
func Query(w http.ResponseWriter, r *http.Request) { reply(w, r.URL.Query()) }

// Cookies answers with the cookies that came and sets two.
func Cookies(w http.ResponseWriter, r *http.Request) {
	got := map[string]string{}
	for _, c := range r.Cookies() {
		got[c.Name] = c.Value
	}
	http.SetCookie(w, &http.Cookie{Name: "one", Value: "1", Path: "/"})
	http.SetCookie(w, &http.Cookie{Name: "two", Value: "2", Path: "/", HttpOnly: true})
	reply(w, got)
}

// Upload describes the body.
func Upload(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, Sum(r.Header.Get("Content-Type"), body))
}

// Text sends a text back.
func Text(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.Copy(w, r.Body)
}

// Form answers with the fields of a form.
func Form(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, r.PostForm)
}

// File answers with the content of a form's file.
func File(w http.ResponseWriter, r *http.Request) {
	file, header, err := r.FormFile("file")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body, err := io.ReadAll(file)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	reply(w, Sum(header.Filename, body))
}

// Download sends bytes.
func Download(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Write(Bytes())
}

// Squeeze returns what a compressed answer holds.
func Squeeze() []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	io.WriteString(w, strings.Repeat("squeezed ", 100))
	w.Close()
	return out.Bytes()
}

// Squeezed sends a compressed text.
func Squeezed(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Encoding", "gzip")
	w.Write(Squeeze())
}

// Redirect leads elsewhere.
func Redirect(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/query?from=redirect", http.StatusFound)
}

// Item returns a handler that answers with a part of the path.
func Item(param func(*http.Request) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { reply(w, map[string]string{"id": param(r)}) }
}

// Nothing has no content.
func Nothing(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) }

// Head has fields only.
func Head(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Head", "yes")
	w.WriteHeader(http.StatusOK)
}

// Cached is not sent again to who has it.
func Cached(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("ETag", `"v1"`)
	if r.Header.Get("If-None-Match") == `"v1"` {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	reply(w, "fresh")
}

// Tags answers with a field that was sent twice, and in two fields.
func Tags(w http.ResponseWriter, r *http.Request) {
	for _, tag := range r.Header.Values("X-Tag") {
		w.Header().Add("X-Got", tag)
	}
	reply(w, r.Header.Values("X-Tag"))
}

// Event tells what came with the request.
func Event(w http.ResponseWriter, r *http.Request) { reply(w, formats.Of(r)) }
