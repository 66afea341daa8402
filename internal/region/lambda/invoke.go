package lambda

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/seed-615d3599/roost/iam"
	"github.com/seed-615d3599/roost/internal/region/lambda/environment"
	"github.com/seed-615d3599/roost/internal/region/lambda/model"
	"github.com/seed-615d3599/roost/internal/region/wire"
)

// Lambda's quotas for the payload of a call, in bytes.
const (
	maxPayload      = 6 * 1024 * 1024
	maxEventPayload = 1024 * 1024
)

// Invoke runs a function and waits for its answer (RequestResponse). The ARN
// may have a version or an alias. functionError is "Unhandled" where the
// function failed, and the response is then its error document. The error is a
// *wire.Error (ResourceNotFoundException, TooManyRequestsException), or the
// context's. The payload must not be changed before Invoke returns.
func (l *Lambda) Invoke(ctx context.Context, functionARN string, payload []byte) (response []byte, functionError string, err error) {
	result, _, err := l.run(ctx, functionARN, environment.Call{Payload: payload})
	return result.Payload, result.FunctionError, err
}

// run finds the version that an ARN means and invokes it. It returns the
// version that ran.
func (l *Lambda) run(ctx context.Context, functionARN string, call environment.Call) (environment.Result, string, error) {
	name, qualifier, ok := l.Parse(functionARN)
	if !ok {
		return environment.Result{}, "", model.NotFound("Function not found: " + functionARN)
	}
	e := l.snapshot.Load().functions[name]
	var t *target
	if e != nil {
		t = e.pick(qualifier)
	}
	if t == nil {
		return environment.Result{}, "", l.NoFunction(name, model.OrElse(qualifier, model.Latest))
	}
	pool, err := t.open(ctx)
	if err != nil {
		return environment.Result{}, "", err
	}
	t.called.Do(func() { l.ran(name) })
	call.InvokedFunctionARN = functionARN
	result, err := pool.Invoke(ctx, call)
	var throttled *environment.Throttled
	if errors.As(err, &throttled) {
		return result, "", tooMany(throttled)
	}
	return result, t.version.Version, err
}

// tooMany is Lambda's refusal of a call. It has no Retry-After, which the service
// model knows: AWS sends none where it was recorded.
func tooMany(t *environment.Throttled) *wire.Error {
	e := model.Failed(http.StatusTooManyRequests, "TooManyRequestsException", t.Error())
	e.Fields["Reason"] = t.Reason
	return e
}

// Note writes a line into a function's log, in a stream of its own: what a service
// that calls the function has to say about it. A function that is gone has no log.
func (l *Lambda) Note(functionARN, line string) {
	name, qualifier, _ := l.Parse(functionARN)
	e := l.snapshot.Load().functions[name]
	if e == nil || l.config.Logs == nil {
		return
	}
	if t := e.pick(qualifier); t != nil {
		l.config.Logs.Write(t.version.Logging.LogGroup, "api-gateway", l.config.Now(), line+"\n")
	}
}

// MayInvoke decides by the function's resource policy whether a service may
// invoke it for a source, such as "apigateway.amazonaws.com" for the ARN of a
// route. The error says which function refused whom.
func (l *Lambda) MayInvoke(functionARN, servicePrincipal, sourceARN string) error {
	return l.mayCall(functionARN, "lambda:InvokeFunction", iam.Principal{Kind: iam.Service, Name: servicePrincipal},
		iam.Context{{Name: "aws:SourceArn", Value: sourceARN}, {Name: "aws:SourceAccount", Value: l.config.Account}})
}

// mayCall decides by the resource policy alone.
func (l *Lambda) mayCall(functionARN, action string, who iam.Principal, keys iam.Context) error {
	name, qualifier, ok := l.Parse(functionARN)
	if !ok {
		return model.NotFound("Function not found: " + functionARN)
	}
	e := l.snapshot.Load().functions[name]
	if e == nil {
		return l.NoFunction(name, qualifier)
	}
	compiled := e.policies[qualifier]
	if compiled != nil {
		request := iam.Request{Principal: who, Action: action, Resource: functionARN, Context: keys}
		policies := iam.Policies{Resource: iam.Attached{Name: "the function's resource policy", Owner: functionARN, Policy: compiled}}
		if iam.Decide(request, policies, nil).Outcome == iam.Allowed {
			return nil
		}
	}
	return model.Failed(http.StatusForbidden, "AccessDeniedException", fmt.Sprintf("the resource policy of %s does not let %s %s", functionARN, model.OrElse(who.Name, "everyone"), action))
}

// invokeInput is the input of both invoke operations.
type invokeInput struct {
	model.Ref
	InvocationType       string `header:"X-Amz-Invocation-Type"`
	LogType              string `header:"X-Amz-Log-Type"`
	ClientContext        string `header:"X-Amz-Client-Context"`
	DurableExecutionName string `header:"X-Amz-Durable-Execution-Name"`
	TenantID             string `json:"TenantId" header:"X-Amz-Tenant-Id"`
	Payload              []byte `payload:"true"`
}

// invokeOp is the operation Invoke.
func (l *Lambda) invokeOp(ctx context.Context, call *wire.Call, in *invokeInput) (*wire.Raw, error) {
	name, qualifier, err := l.prepare(in)
	if err != nil {
		return nil, err
	}
	e := l.snapshot.Load().functions[name]
	if e == nil || e.pick(qualifier) == nil {
		return nil, l.NoFunction(name, model.OrElse(qualifier, model.Latest))
	}
	switch in.InvocationType {
	case "DryRun":
		return &wire.Raw{Status: http.StatusNoContent}, nil
	case "Event":
		if len(in.Payload) > maxEventPayload {
			return nil, tooLarge("Event", len(in.Payload), maxEventPayload)
		}
		if err := l.queue.add(ctx, l.ARN(name, qualifier), call.RequestID, in.Payload); err != nil {
			return nil, err
		}
		return &wire.Raw{Status: http.StatusAccepted}, nil
	case "", "RequestResponse":
		return l.invokeNow(ctx, call, in, name, qualifier)
	}
	return nil, model.Enum(in.InvocationType, "invocationType", "Event, RequestResponse, DryRun")
}

// prepare checks what both invoke operations share.
func (l *Lambda) prepare(in *invokeInput) (name, qualifier string, err error) {
	name, qualifier, err = l.Resolve(in.FunctionName, in.Qualifier)
	switch {
	case err != nil:
	case in.DurableExecutionName != "":
		err = model.Invalid("durable executions are not supported here")
	case in.TenantID != "":
		err = model.Invalid("tenant isolation (X-Amz-Tenant-Id) is not supported here")
	case in.LogType != "" && in.LogType != "None" && in.LogType != "Tail":
		err = model.Enum(in.LogType, "logType", "None, Tail")
	case len(in.Payload) > maxPayload:
		err = tooLarge("RequestResponse", len(in.Payload), maxPayload)
	default:
		in.Payload, err = checkPayload(in.Payload)
	}
	return name, qualifier, err
}

func tooLarge(invocationType string, size, limit int) error {
	return model.Failed(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", strconv.Itoa(size)+" byte payload is too large for the "+invocationType+" invocation type (limit "+strconv.Itoa(limit)+" bytes)")
}

func (l *Lambda) invokeNow(ctx context.Context, call *wire.Call, in *invokeInput, name, qualifier string) (*wire.Raw, error) {
	client, err := clientContext(in.ClientContext)
	if err != nil {
		return nil, err
	}
	result, version, err := l.run(ctx, l.ARN(name, qualifier), environment.Call{
		RequestID: call.RequestID, ClientContext: client, CognitoIdentity: identity(call), Payload: in.Payload, Tail: in.LogType == "Tail"})
	if err != nil {
		return nil, err
	}
	header := http.Header{"Content-Type": {"application/json"}, "X-Amz-Executed-Version": {version}}
	if result.FunctionError != "" {
		header.Set("X-Amz-Function-Error", result.FunctionError)
	}
	if in.LogType == "Tail" {
		header.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(result.Tail))
	}
	header.Set("Content-Length", strconv.Itoa(len(result.Payload)))
	return &wire.Raw{Status: http.StatusOK, Header: header, Body: strings.NewReader(string(result.Payload))}, nil
}

// clientContext decodes X-Amz-Client-Context, base64 of a JSON object.
func clientContext(header string) (string, error) {
	if header == "" {
		return "", nil
	}
	document, err := base64.StdEncoding.DecodeString(header)
	if err != nil || !json.Valid(document) {
		return "", model.Failed(400, "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object.")
	}
	return string(document), nil
}

// identity is the Lambda-Runtime-Cognito-Identity of a caller that an identity
// pool vouches for.
func identity(call *wire.Call) string {
	if call.Caller == nil || call.Caller.Cognito == nil {
		return ""
	}
	document, _ := json.Marshal(struct {
		ID   string `json:"cognitoIdentityId"`
		Pool string `json:"cognitoIdentityPoolId"`
	}{call.Caller.Cognito.IdentityID, call.Caller.Cognito.PoolID})
	return string(document)
}

// checkPayload lets through JSON only, as Lambda does; nothing counts as {}.
func checkPayload(payload []byte) ([]byte, error) {
	if len(payload) == 0 {
		return []byte("{}"), nil
	}
	if json.Valid(payload) {
		return payload, nil
	}
	return nil, model.Failed(400, "InvalidRequestContentException", "Could not parse request body into json: Could not parse payload into json: "+badJSON(payload))
}
