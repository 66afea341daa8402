// Package wire is what the services of the embedded region share: the table
// of a service's operations, AWS's wire protocols (query, JSON, REST-JSON,
// REST-XML), the errors, and who calls.
//
// A service describes its operations once:
//
//	func (s *Identity) Service() *wire.Service {
//		return &wire.Service{
//			Name: "cognito-identity", Protocol: wire.JSON, Target: "AWSCognitoIdentityService",
//			Operations: []wire.Operation{
//				wire.Op("GetId", s.getID, wire.Unsigned()),
//				wire.Op("DeleteIdentityPool", s.deletePool, wire.On(poolARN)),
//			},
//		}
//	}
//
// where getID is a func(context.Context, *wire.Call, *GetIDInput) (*GetIDOutput, error).
//
// Inputs and outputs are structs whose members bear their names on the wire:
// the Go name, or the one in a `json` tag. For REST protocols the tags `uri`,
// `query` and `header` say that a member travels in the path, the query or a
// header, and `payload:"true"` that it is the whole body ([]byte). Members
// tagged `required:"true"` must be there. A member that the struct does not
// have is refused by name, never dropped.
//
// Operations are called over HTTP (by the edge, see Resolve and Respond) and
// within the process by name (Service.Call), as CloudFormation does; both ways
// pass the same decoding and the same authorization.
package wire

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"reflect"
)

// Protocol is one of AWS's wire protocols.
type Protocol int

// The protocols, as AWS's service models name them.
const (
	Query    Protocol = iota // form parameters in, XML out (IAM, STS, CloudFormation)
	JSON                     // JSON 1.0 and 1.1 with X-Amz-Target
	RESTJSON                 // HTTP method and path, JSON bodies (Lambda, API Gateway)
	RESTXML                  // HTTP method and path, XML bodies (S3)
)

// Service is one AWS service.
type Service struct {
	Name       string // signing name and prefix of its actions: "iam"
	Version    string // API version: "2010-05-08"; query protocol only
	Namespace  string // XML name space; query and REST-XML only
	Target     string // prefix of X-Amz-Target without the dot; JSON only
	Protocol   Protocol
	Operations []Operation

	// CapitalMessage is set for services whose JSON errors carry "Message"
	// rather than "message" (Lambda).
	CapitalMessage bool

	// Authorize decides whether a call may act on the targets. The region sets
	// it; without it everything is refused.
	Authorize func(ctx context.Context, call *Call, targets []Target) error
}

// Call is one call of an operation.
type Call struct {
	Caller    *Caller // nil when the request was not signed
	Service   string
	Operation string
	Region    string
	Account   string
	RequestID string
	SourceIP  string
	UserAgent string
	HTTP      *http.Request // nil within the process
	// Token is, within the process, the RequestToken of the stack's events about
	// the resource that the call is for; "" if it is for none.
	Token string
}

// Secure is the condition key aws:SecureTransport of a request that came from an
// address, over TLS or not. One from this machine counts as secure: what the bucket
// policies of CDK and others deny without TLS is being overheard on the way, which
// such a request cannot be.
func Secure(tls bool, sourceIP string) bool {
	ip, _ := netip.ParseAddr(sourceIP)
	return tls || ip.Unmap().IsLoopback()
}

// Target is one action on one resource for which the caller needs permission.
type Target struct {
	Action   string              // "iam:CreateRole"
	Resource string              // an ARN, or "*"
	Context  map[string][]string // condition keys that this operation sets
	Policy   string              // the resource's own policy, a JSON document; may be empty
}

// Unreadable takes the place of a target's policy where the resource's own cannot
// be read. It is no policy, so that no decision passes it.
const Unreadable = "unreadable"

// Operation is one operation of a service, made by Op.
type Operation struct {
	Name     string
	unsigned bool
	stream   bool
	status   int
	route    *route
	action   string
	targets  func(c *Call, in any) []Target
	newInput func() any
	handle   func(ctx context.Context, c *Call, in any) (any, error)
}

// Op describes an operation. Its action is the service's name and its own,
// its resource "*", unless an option says otherwise.
func Op[In, Out any](name string, handle func(context.Context, *Call, *In) (*Out, error), options ...Option) Operation {
	op := Operation{
		Name:     name,
		newInput: func() any { return new(In) },
		handle: func(ctx context.Context, c *Call, in any) (any, error) {
			out, err := handle(ctx, c, in.(*In))
			if err != nil {
				return nil, err
			}
			return out, nil
		},
	}
	for _, option := range options {
		option(&op)
	}
	return op
}

// Refused describes operations that are known and refused by name, whatever they
// are given. refuse makes the error of an operation.
func Refused(refuse func(operation string) error, operations ...string) []Operation {
	refused := make([]Operation, len(operations))
	for i, name := range operations {
		refused[i] = Op(name, func(context.Context, *Call, *Anything) (*struct{}, error) { return nil, refuse(name) })
	}
	return refused
}

// Anything is the input of an operation that is refused whatever it is given.
type Anything struct{}

// UnmarshalJSON implements json.Unmarshaler.
func (*Anything) UnmarshalJSON([]byte) error { return nil }

// UnmarshalText implements encoding.TextUnmarshaler, for the query protocol.
func (*Anything) UnmarshalText([]byte) error { return nil }

// Option says something more about an operation.
type Option func(*Operation)

// Unsigned marks an operation that AWS lets anybody call without a signature.
// No policy is asked.
func Unsigned() Option { return func(op *Operation) { op.unsigned = true } }

// HTTP gives an operation of a REST protocol its method, path and status:
// HTTP("POST /2015-03-31/functions/{FunctionName}/invocations", 200). {Name+}
// takes several segments; "?uploads" or "?list-type=2" behind the path asks
// for that query key.
func HTTP(pattern string, status int) Option {
	return func(op *Operation) {
		op.route = parseRoute(pattern)
		op.status = status
	}
}

// Stream has the request's body left unread for the operation, as Call.HTTP.Body.
func Stream() Option { return func(op *Operation) { op.stream = true } }

// Action gives the operation's action where it is not its own name.
func Action(action string) Option { return func(op *Operation) { op.action = action } }

// On names the resource that the operation acts on: an ARN, or "*".
func On[In any](resource func(c *Call, in *In) string) Option {
	return func(op *Operation) {
		op.targets = func(c *Call, in any) []Target {
			return []Target{{Resource: resource(c, in.(*In))}}
		}
	}
}

// Targets names all that the operation needs permission for. A target without
// an action has the operation's own; an empty list means that none is needed.
func Targets[In any](targets func(c *Call, in *In) []Target) Option {
	return func(op *Operation) {
		op.targets = func(c *Call, in any) []Target { return targets(c, in.(*In)) }
	}
}

// Call calls an operation within the process, for the caller that call names.
// in is anything whose JSON form is the operation's input; out, when not nil,
// receives the JSON form of its output, as far as it has the members.
func (s *Service) Call(ctx context.Context, call Call, operation string, in, out any) error {
	op, ok := s.find(operation)
	if !ok {
		return Errorf(http.StatusBadRequest, "InvalidAction", "%s has no operation %s", s.Name, operation)
	}
	call.Service, call.Operation = s.Name, operation
	input := op.newInput()
	if err := copyJSON(in, input); err != nil {
		return s.badInput(op, err)
	}
	result, err := s.perform(ctx, &call, op, input)
	if err != nil || out == nil {
		return err
	}
	return answerJSON(result, out)
}

// Has reports whether the service has an operation of that name.
func (s *Service) Has(operation string) bool {
	_, ok := s.find(operation)
	return ok
}

func (s *Service) find(name string) (*Operation, bool) {
	for i := range s.Operations {
		if s.Operations[i].Name == name {
			return &s.Operations[i], true
		}
	}
	return nil, false
}

// perform checks an input, asks for permission and runs the operation.
func (s *Service) perform(ctx context.Context, call *Call, op *Operation, input any) (any, error) {
	if err := checkRequired(reflect.ValueOf(input), ""); err != nil {
		return nil, s.badInput(op, err)
	}
	if !op.unsigned {
		if s.Authorize == nil {
			return nil, Errorf(http.StatusForbidden, "AccessDenied", "nobody decides who may call %s", s.Name)
		}
		if err := s.Authorize(ctx, call, s.targetsOf(call, op, input)); err != nil {
			return nil, err
		}
	}
	return op.handle(ctx, call, input)
}

func (s *Service) targetsOf(call *Call, op *Operation, input any) []Target {
	action := op.action
	if action == "" {
		action = s.Name + ":" + op.Name
	}
	if op.targets == nil {
		return []Target{{Action: action, Resource: "*"}}
	}
	targets := op.targets(call, input)
	for i := range targets {
		if targets[i].Action == "" {
			targets[i].Action = action
		}
		if targets[i].Resource == "" {
			targets[i].Resource = "*"
		}
	}
	return targets
}

func (s *Service) badInput(op *Operation, err error) error {
	if e, ok := err.(*Error); ok {
		return e
	}
	code := "ValidationException"
	switch s.Protocol {
	case Query:
		code = "ValidationError"
	case RESTXML:
		code = "InvalidRequest"
	}
	return &Error{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf("%s: %v", op.Name, err)}
}
