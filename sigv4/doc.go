// Package sigv4 verifies and makes AWS Signature Version 4 signatures, and says
// what is wrong with one that does not match.
//
// A server fills in a Request with the method, target, host and headers as they
// arrived, before anything rewrites them, and asks a Verifier:
//
//	v := sigv4.Verifier{Service: "execute-api", Regions: []string{"us-east-1"}}
//	r := sigv4.FromHTTP(httpRequest)
//	r.Body = body
//	sig, err := v.Verify(&r, func(accessKeyID, sessionToken string) (string, error) {
//		return secrets.Lookup(accessKeyID, sessionToken)
//	})
//
// The checks are made in AWS's order, and a refusal is an *Error with AWS's code
// and text; writing it to the wire is the service's business. The key function's
// own error comes back unchanged, at the place where AWS would say that the key
// is unknown or the token expired. After a refusal Diagnose tries what people
// usually get wrong and answers with one sentence.
//
// With S3 set, the Verifier follows S3's rules: the path is neither normalised
// nor encoded a second time, the body's hash is declared in a header instead of
// being computed first, and the body can be sent unsigned or in signed chunks.
// Package s3body then checks the body while it is read.
//
// A client uses Signer, whose Sign adds the headers to an *http.Request and whose
// Presign returns a URL.
//
// The protocol is described in the IAM User Guide, "AWS Signature Version 4 for
// API requests", and, for S3, in the S3 API Reference, "Authenticating Requests
// (AWS Signature Version 4)". The package has no state and keeps no secrets: a
// signing key is derived for each request, which costs about a microsecond.
package sigv4
