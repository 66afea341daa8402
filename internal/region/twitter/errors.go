package twitter

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
)

// apiError is a refusal: Twitter's status, code and message, and our reason.
// A code of 0 means that Twitter answers with the bare message as text.
type apiError struct {
	status  int
	code    int
	message string
	reason  string
}

func (e *apiError) Error() string { return e.message }

// The codes and messages are those of Twitter's page "Error codes" (API v1.1);
// the text about the verifier has no code there.

func couldNotAuthenticate(format string, args ...any) error {
	return &apiError{http.StatusUnauthorized, 32, "Could not authenticate you.", fmt.Sprintf(format, args...)}
}

func badAuthenticationData(format string, args ...any) error {
	return &apiError{http.StatusBadRequest, 215, "Bad Authentication data.", fmt.Sprintf(format, args...)}
}

func invalidToken(reason string) error {
	return &apiError{http.StatusUnauthorized, 89, "Invalid or expired token.", reason}
}

func timestampOutOfBounds(reason string) error {
	return &apiError{http.StatusUnauthorized, 135, "Timestamp out of bounds.", reason}
}

func overCapacity(reason string) error {
	return &apiError{http.StatusServiceUnavailable, 130, "Over capacity", reason}
}

func callbackNotApproved(reason string) error {
	return &apiError{http.StatusForbidden, 415, "Callback URL not approved for this client application. Approved callback URLs can be adjusted in your application settings", reason}
}

func parameterMissing(name string) error {
	return &apiError{http.StatusForbidden, 38, name + " parameter is missing.", "send " + name + ": a URL, or oob for a PIN"}
}

func invalidVerifier(reason string) error {
	return &apiError{http.StatusUnauthorized, 0, "Error processing your OAuth request: Invalid oauth_verifier parameter", reason}
}

func methodNotSupported(method string) error {
	return &apiError{http.StatusMethodNotAllowed, 86, "This method is not supported.", "the path does not take " + method}
}

func pageNotFound() error {
	return &apiError{http.StatusNotFound, 34, "Sorry, that page does not exist.", "the stand-in does not have this path; its package comment lists those it has"}
}

// writeError is the one place that writes a refusal.
func writeError(w http.ResponseWriter, r *http.Request, err error) {
	var refusal *apiError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &refusal):
	case errors.As(err, &tooLarge):
		refusal = &apiError{http.StatusRequestEntityTooLarge, 214, "Request entity too large.", fmt.Sprintf("the body is over %d bytes", tooLarge.Limit)}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		refusal = &apiError{http.StatusInsufficientStorage, 131, "Internal error: the disk of the region is full", "free some space and try again"}
	default:
		refusal = &apiError{http.StatusInternalServerError, 131, "Internal error", err.Error()}
	}
	w.Header().Set("Roost-Reason", headerText(refusal.reason))
	if refusal.code == 0 {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(refusal.status)
		_, _ = io.WriteString(w, refusal.message)
		return
	}
	writeJSON(w, refusal.status, refusal.body(r.URL.Path))
}

// body returns the JSON of a refusal, which differs between the API's versions.
func (e *apiError) body(path string) any {
	if strings.HasPrefix(path, "/2/") {
		title := http.StatusText(e.status)
		return map[string]any{"title": title, "detail": title, "type": "about:blank", "status": e.status}
	}
	type item struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	return map[string]any{"errors": []item{{e.code, e.message}}}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v)
}

// headerText makes text fit for a header: one line of printable ASCII.
func headerText(text string) string {
	const longest = 1000
	if len(text) > longest {
		text = text[:longest]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, text)
}
