package wire

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"syscall"

	"github.com/seed-615d3599/roost/iam"
)

// Error is an answer that says what went wrong, in AWS's terms.
type Error struct {
	Status  int // HTTP status; 0 means 400
	Code    string
	Message string
	Fields  map[string]any // further members of a JSON error, such as Lambda's Type and Reason
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf makes an Error.
func Errorf(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Denied is an Error that a decision by policies led to, with the account of the
// decision. The client sees the Error only; the account is for whoever explains
// refusals, and finds it with errors.As.
type Denied struct {
	Err      *Error
	Action   string     // "iam:CreateRole"
	Resource string     // ARN, or "*"
	Trace    *iam.Trace // never nil
}

func (d *Denied) Error() string { return d.Err.Error() }

// Unwrap returns the Error that the client sees.
func (d *Denied) Unwrap() error { return d.Err }

// Code returns the code of an Error in err's chain, or "".
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// asError finds the Error in err. What is no Error is a fault of the region:
// it is logged, and the client learns no more than that.
func asError(err error, requestID string) *Error {
	var e *Error
	switch {
	case errors.As(err, &e):
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		// Not 500 or 503: clients would ask again at once.
		return &Error{Status: http.StatusInsufficientStorage, Code: "InsufficientStorage", Message: "the disk of the region is full: free some space and try again"}
	default:
		slog.Error("a request failed inside the region", "requestId", requestID, "err", err)
		return &Error{Status: http.StatusInternalServerError, Code: "InternalFailure", Message: "roost made a mistake; its log says more under request id " + requestID}
	}
	if e.Status == 0 {
		copied := *e
		copied.Status = http.StatusBadRequest
		return &copied
	}
	return e
}

// WriteError writes err in the form of the service's protocol.
func (s *Service) WriteError(w http.ResponseWriter, requestID string, err error) {
	e := asError(err, requestID)
	switch s.Protocol {
	case Query:
		s.writeQueryError(w, requestID, e)
	case RESTXML:
		writeRESTXMLError(w, requestID, e)
	default:
		s.writeJSONError(w, requestID, e)
	}
}

func (s *Service) writeJSONError(w http.ResponseWriter, requestID string, e *Error) {
	header := w.Header()
	body := map[string]any{}
	for name, value := range e.Fields {
		body[name] = value
	}
	message := "message"
	if s.CapitalMessage {
		message = "Message"
	}
	// Some of Lambda's errors call it "Message", most "message".
	if _, named := body["Message"]; !named {
		body[message] = e.Message
	}
	if s.Protocol == JSON {
		// JSON services send the code with a colon behind it (amplify-js#2443).
		body["__type"] = e.Code
		header.Set("Content-Type", "application/x-amz-json-1.1")
		header.Set("x-amzn-ErrorType", e.Code+":")
		header.Set("x-amzn-ErrorMessage", headerValue(e.Message))
	} else {
		header.Set("Content-Type", "application/json")
		header.Set("x-amzn-ErrorType", e.Code)
	}
	header.Set("x-amzn-RequestId", requestID)
	data, _ := json.Marshal(body)
	w.WriteHeader(e.Status)
	w.Write(data)
}

// headerValue keeps a message within one header line.
func headerValue(message string) string {
	clean := []rune(message)
	for i, r := range clean {
		if r < ' ' || r > '~' {
			clean[i] = ' '
		}
	}
	return string(clean)
}

type queryError struct {
	XMLName   xml.Name `xml:"ErrorResponse"`
	Namespace string   `xml:"xmlns,attr"`
	Error     struct {
		Type    string
		Code    string
		Message string
	}
	RequestID string `xml:"RequestId"`
}

func (s *Service) writeQueryError(w http.ResponseWriter, requestID string, e *Error) {
	body := queryError{Namespace: s.Namespace, RequestID: requestID}
	body.Error.Type = "Sender"
	if e.Status >= 500 {
		body.Error.Type = "Receiver"
	}
	body.Error.Code, body.Error.Message = e.Code, e.Message
	writeXML(w, e.Status, requestID, body)
}

type restXMLError struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	RequestID string `xml:"RequestId"`
}

func writeRESTXMLError(w http.ResponseWriter, requestID string, e *Error) {
	w.Header().Set("x-amz-request-id", requestID)
	writeXML(w, e.Status, requestID, restXMLError{Code: e.Code, Message: e.Message, RequestID: requestID})
}

func writeXML(w http.ResponseWriter, status int, requestID string, body any) {
	data, err := xml.Marshal(body)
	if err != nil {
		slog.Error("an answer cannot be written as XML", "requestId", requestID, "err", err)
		status, data = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("x-amzn-RequestId", requestID)
	w.WriteHeader(status)
	w.Write([]byte(xml.Header))
	w.Write(data)
}
