package iam_test

import (
	"fmt"

	"github.com/seed-615d3599/roost/iam"
)

func Example() {
	policy, err := iam.Parse([]byte(`{
  "Version": "2012-10-17",
  "Statement": {
    "Effect": "Allow",
    "Action": "execute-api:Invoke",
    "Resource": "arn:aws:execute-api:*:*:*/*/GET/public/*"
  }
}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	request := iam.Request{
		Principal: iam.Principal{Kind: iam.User, ARN: "arn:aws:iam::123456789012:user/bob", Account: "123456789012"},
		Action:    "execute-api:Invoke",
		Resource:  "arn:aws:execute-api:us-east-1:123456789012:api/$default/GET/private",
	}
	var trace iam.Trace
	decision := iam.Decide(request, iam.Policies{Identity: []iam.Attached{{Name: "Public", Policy: policy}}}, &trace)
	fmt.Println(decision.Message(request))
	miss := trace.Statements[0].Mismatch
	fmt.Println(miss.Element, miss.Policy, miss.Request)
	// Output:
	// User: arn:aws:iam::123456789012:user/bob is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:123456789012:api/$default/GET/private because no identity-based policy allows the execute-api:Invoke action
	// Resource [arn:aws:execute-api:*:*:*/*/GET/public/*] [arn:aws:execute-api:us-east-1:123456789012:api/$default/GET/private]
}

func ExampleLeast() {
	fmt.Printf("%s", iam.Least([]iam.Use{
		{Action: "s3:PutObject", Resource: "arn:aws:s3:::bucket/a*b"},
		{Action: "s3:GetObject", Resource: "arn:aws:s3:::bucket/a*b"},
		{Action: "sqs:ListQueues", Resource: "*"},
	}))
	// Output:
	// {
	//   "Version": "2012-10-17",
	//   "Statement": [
	//     {
	//       "Effect": "Allow",
	//       "Action": [
	//         "s3:GetObject",
	//         "s3:PutObject"
	//       ],
	//       "Resource": [
	//         "arn:aws:s3:::bucket/a${*}b"
	//       ]
	//     },
	//     {
	//       "Effect": "Allow",
	//       "Action": [
	//         "sqs:ListQueues"
	//       ],
	//       "Resource": [
	//         "*"
	//       ]
	//     }
	//   ]
	// }
}
