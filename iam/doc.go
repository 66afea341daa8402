// Package iam reads AWS IAM policies and decides requests by them, as AWS
// does, and says why.
//
// A document is parsed and compiled once, by [Parse] (identity-based policies,
// permissions boundaries and session policies), [ParseResource] (policies with
// a Principal) or [ParseTrust] (trust policies of roles). What is wrong with a
// document comes back as an [*Error] with a code and a position.
//
//	policy, err := iam.Parse(document)
//	decision := iam.Decide(iam.Request{
//		Principal: iam.Principal{Kind: iam.User, ARN: "arn:aws:iam::123456789012:user/bob", Account: "123456789012"},
//		Action:    "execute-api:Invoke",
//		Resource:  "arn:aws:execute-api:us-east-1:123456789012:api/$default/GET/private",
//		Context:   iam.Context{{Name: "aws:SourceIp", Value: "127.0.0.1"}},
//	}, iam.Policies{Identity: []iam.Attached{{Name: "Invoke", Policy: policy}}}, nil)
//	if decision.Outcome != iam.Allowed { … decision.Reason("execute-api:Invoke") … }
//
// [Decide] follows "Policy evaluation logic" of the IAM User Guide: an explicit
// deny in any policy wins; what no policy allows is denied; resource-based
// policies, permissions boundaries and session policies limit or grant as that
// page says, within an account and across accounts. Given a [*Trace] it also
// writes down, for each statement, whether it matched and, if not, the first
// element that did not match, with the values compared. Without one it
// allocates nothing.
//
// Organisation policies (service and resource control policies) are not part
// of the package. Canonical user ids as principals are refused when parsed.
package iam
