package edge

import (
	"net/http"

	"github.com/seed-615d3599/roost/internal/region/wire"
)

// fromPages reports whether AWS lets web pages call a service: those that AWS's
// SDK for JavaScript marks so ("cors" in aws-sdk-js's apis/metadata.json). S3
// goes by each bucket's own rules instead.
func fromPages(service *wire.Service) bool {
	switch service.Name {
	case "cloudformation", "cognito-identity", "ecr", "iam", "kms", "lambda", "logs", "secretsmanager", "ssm", "sts":
		return true
	}
	return false
}

// preflight answers a browser that asks whether a page of another origin may
// send a request, and then returns true. It bears no signature and does not
// name the service, so the path tells: the protocols other than REST take
// POST /, which S3 has no use for.
func (e *Edge) preflight(w http.ResponseWriter, r *http.Request) bool {
	method := r.Header.Get("Access-Control-Request-Method")
	if r.Method != http.MethodOptions || r.Header.Get("Origin") == "" || method == "" {
		return false
	}
	if !e.pageMay(r, method) {
		return false
	}
	header := w.Header()
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Allow-Methods", method)
	// What the SDKs send changes with their versions (amz-sdk-request,
	// amz-sdk-invocation-id, x-amz-user-agent …), so what is asked for is
	// allowed: none of it authenticates a browser by itself, as cookies would.
	header.Set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
	header.Add("Vary", "Access-Control-Request-Headers")
	header.Set("Access-Control-Max-Age", "172800")
	w.WriteHeader(http.StatusOK)
	return true
}

func (e *Edge) pageMay(r *http.Request, method string) bool {
	if r.URL.Path == "/" {
		return method == http.MethodPost
	}
	asked := r.Clone(r.Context())
	asked.Method = method
	for _, service := range e.config.Services {
		if service.Protocol == wire.RESTJSON && fromPages(service) {
			if _, err := service.Resolve(asked, nil); err == nil {
				return true
			}
		}
	}
	return false
}

// allowPages lets pages read an answer, and the headers in which SDKs look for
// what failed.
func allowPages(header http.Header, service *wire.Service) {
	header.Set("Access-Control-Allow-Origin", "*")
	exposed := "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"
	if service.Name == "lambda" {
		exposed += ",x-amz-function-error,x-amz-log-result,x-amz-executed-version"
	}
	header.Set("Access-Control-Expose-Headers", exposed)
}
