package event

import (
	"time"

	"github.com/seed-615d3599/roost/internal/region/http1"
	"github.com/seed-615d3599/roost/internal/region/httpapi/route"
)

// Request is what an event says about a request. Slices are not kept.
type Request struct {
	Account, Region string
	API             string
	DomainName      string // the host that was called, without a port
	Stage           string
	RouteKey        string
	StageVariables  []byte // a JSON object, or nil

	Method       string
	Path         string // decoded, with the stage in front unless it is $default
	MappedPath   string // format 1.0's path, which on a custom domain has the mapping too; "" for Path
	RawQuery     []byte // as sent
	Protocol     string // "HTTP/1.1"
	SourceIP     string
	Headers      []http1.Field // lower-case names, sorted; see Encoder.Headers
	Params       []route.Param
	Body         []byte
	ID           string
	Time         time.Time
	Authorizer   Authorizer
	Identity     *Identity // of routes with IAM authorization
	CustomDomain bool
}

// Authorizer is what an authorizer found out, as JSON values. At most one of
// Claims and Context is set.
type Authorizer struct {
	Claims  []byte // of a JWT: an object of strings
	Scopes  []byte // an array, or nil
	Context []byte // of a Lambda authorizer: an object
	Lambda  bool   // a Lambda authorizer allowed the request
	// Principal is the principalId that the authorizer returned, which format
	// 1.0 shows beside the context.
	Principal string
}

// Identity is who signed a request.
type Identity struct {
	AccessKey, Account, Caller, UserARN, User string
	// Of callers with the credentials of an identity pool, or "".
	CognitoIdentity, CognitoPool string
	AMR                          []string
}

// routePath is the path of the route key: "/pets/{id}", or "$default".
func (r *Request) routePath() string {
	for i := range len(r.RouteKey) {
		if r.RouteKey[i] == ' ' {
			return r.RouteKey[i+1:]
		}
	}
	return r.RouteKey
}

func (r *Request) header(lower string) []byte {
	for i := range r.Headers {
		if string(r.Headers[i].Name) == lower {
			return r.Headers[i].Value
		}
	}
	return nil
}

// domainPrefix is the first label of the domain name.
func (r *Request) domainPrefix() string {
	for i := range len(r.DomainName) {
		if r.DomainName[i] == '.' {
			return r.DomainName[:i]
		}
	}
	return r.DomainName
}
