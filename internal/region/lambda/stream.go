package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// invokeStreamOp is the operation InvokeWithResponseStream: the response comes
// as an event stream of PayloadChunk and one InvokeComplete.
func (l *Lambda) invokeStreamOp(ctx context.Context, call *wire.Call, in *invokeInput) (*wire.Raw, error) {
	name, qualifier, err := l.prepare(in)
	if err != nil {
		return nil, err
	}
	if in.InvocationType == "DryRun" {
		return &wire.Raw{Status: http.StatusNoContent}, nil
	}
	if in.InvocationType != "" && in.InvocationType != "RequestResponse" {
		return nil, model.Enum(in.InvocationType, "invocationType", "RequestResponse, DryRun")
	}
	client, err := clientContext(in.ClientContext)
	if err != nil {
		return nil, err
	}
	e := l.snapshot.Load().functions[name]
	if e == nil || e.pick(qualifier) == nil {
		return nil, l.NoFunction(name, model.OrElse(qualifier, model.Latest))
	}
	header := http.Header{"Content-Type": {"application/vnd.amazon.eventstream"},
		"X-Amz-Executed-Version": {e.pick(qualifier).version.Version}}
	return &wire.Raw{Status: http.StatusOK, Header: header, Write: func(w http.ResponseWriter) error {
		out := &eventWriter{w: w, encoder: eventstream.NewEncoder()}
		result, _, err := l.run(ctx, l.ARN(name, qualifier), environment.Call{RequestID: call.RequestID, ClientContext: client,
			CognitoIdentity: identity(call), Payload: in.Payload, Tail: in.LogType == "Tail",
			Stream: func(_ string, part []byte) error { return out.event("PayloadChunk", "application/octet-stream", part) }})
		return out.complete(result, err)
	}}, nil
}

// eventWriter writes AWS's event stream format.
type eventWriter struct {
	w       http.ResponseWriter
	encoder *eventstream.Encoder
}

func (e *eventWriter) event(kind, contentType string, payload []byte) error {
	var headers eventstream.Headers
	headers.Set(":event-type", eventstream.StringValue(kind))
	headers.Set(":content-type", eventstream.StringValue(contentType))
	headers.Set(":message-type", eventstream.StringValue("event"))
	if err := e.encoder.Encode(e.w, eventstream.Message{Headers: headers, Payload: payload}); err != nil {
		return err
	}
	return http.NewResponseController(e.w).Flush()
}

// completion is the event InvokeComplete.
type completion struct {
	ErrorCode    string `json:",omitempty"`
	ErrorDetails string `json:",omitempty"`
	LogResult    string `json:",omitempty"`
}

func (e *eventWriter) complete(result environment.Result, err error) error {
	var end completion
	switch {
	case err != nil:
		end.ErrorCode, end.ErrorDetails = model.OrElse(wire.Code(err), "ServiceException"), message(err)
	case result.FunctionError != "":
		end.ErrorCode, end.ErrorDetails = model.OrElse(result.ErrorType, "Function.Unknown"), string(result.Payload)
	case !result.Streamed && len(result.Payload) > 0:
		if err := e.event("PayloadChunk", "application/octet-stream", result.Payload); err != nil {
			return err
		}
	}
	if result.Tail != nil {
		end.LogResult = base64.StdEncoding.EncodeToString(result.Tail)
	}
	document, err := json.Marshal(end)
	if err != nil {
		return err
	}
	return e.event("InvokeComplete", "application/json", document)
}

// message is an error's text without its code.
func message(err error) string {
	var e *wire.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}
