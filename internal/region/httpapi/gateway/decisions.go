package gateway

import "net/http"

// Limits of HTTP APIs (API Gateway quotas, "HTTP API quotas").
const (
	// MaxBody is the longest payload, in bytes.
	MaxBody = 10 << 20
	// MaxHeaderBytes is what the server should read of a head, so that the
	// gateway can answer what is over maxHeaderValues.
	MaxHeaderBytes = 32 << 10

	maxHeaderValues = 10240 // request line and header values together
	integrationTime = 30    // seconds
	authorizerTime  = 10    // seconds
)

// What documents and traces leave open. Each stands here once, so that a
// recording can change it.
const (
	// headersTooLarge is the answer to a head over the limit.
	headersTooLarge = http.StatusRequestHeaderFieldsTooLarge
	// badSignature is the answer to any request that fails IAM authorization: no
	// trace shows that HTTP APIs tell more than that.
	badSignature = http.StatusForbidden
	// insufficientScope is the answer to a token without the route's scopes.
	insufficientScope = http.StatusForbidden
	// noEndpoint is the answer on an API's own endpoint when it is disabled.
	noEndpoint = http.StatusNotFound
	// badPath is the answer to a path that cannot be decoded.
	badPath = http.StatusBadRequest
	// issuerDown describes an issuer that cannot be asked for its keys.
	issuerDown = "OIDC discovery endpoint communication error"
	// mayNotInvoke is $context.integration.error without permission.
	mayNotInvoke = "The IAM role configured on the integration or API Gateway doesn't have permissions to call the integration. Check the permissions and try again."
)
