// Package clients holds the tests that use IAM, STS and the explanations of a
// running region through other people's clients: the AWS CLI, boto3, and the SDKs
// for Go and JavaScript.
package clients
