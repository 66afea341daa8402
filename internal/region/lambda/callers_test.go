package lambda_test

import "testing"

func TestMayInvoke(t *testing.T) {
	r := start(t)
	r.python("f", "def handler(e, c):\n    pass")
	route := "arn:aws:execute-api:us-east-1:123456789012:api/*/GET/x"
	if err := r.MayInvoke(arn("f"), "apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:123456789012:api/$default/GET/x"); err == nil {
		t.Error("without a permission everybody may")
	}
	r.must("AddPermission", object{"FunctionName": "f", "StatementId": "s", "Action": "lambda:InvokeFunction",
		"Principal": "apigateway.amazonaws.com", "SourceArn": route}, nil)
	for _, test := range []struct {
		principal, source string
		may               bool
	}{
		{"apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:123456789012:api/$default/GET/x", true},
		{"apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:123456789012:other/$default/GET/x", false},
		{"s3.amazonaws.com", "arn:aws:execute-api:us-east-1:123456789012:api/$default/GET/x", false},
	} {
		if err := r.MayInvoke(arn("f"), test.principal, test.source); (err == nil) != test.may {
			t.Errorf("%s %s: got %v", test.principal, test.source, err)
		}
	}
	r.must("RemovePermission", object{"FunctionName": "f", "StatementId": "s"}, nil)
	if err := r.MayInvoke(arn("f"), "apigateway.amazonaws.com", "arn:aws:execute-api:us-east-1:123456789012:api/$default/GET/x"); err == nil {
		t.Error("the permission outlives its removal")
	}
}

// What a caller has to say about a function's answer stands in the function's log.
func TestNote(t *testing.T) {
	r := start(t)
	r.python("f", "def handler(e, c):\n    pass")
	r.Note(arn("f"), "the answer cannot be used")
	r.Note(arn("f")+":none", "nobody reads this")
	r.Note(arn("gone"), "nobody reads this")
	if got := r.logs.text(); got != "the answer cannot be used\n" {
		t.Errorf("logged %q", got)
	}
}
