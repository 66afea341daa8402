package lambda_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	awslambda "github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambda/messages"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

// providedHandler is the handler of the recorded functions that bring their own
// runtime. The test binary, started by their bootstrap, serves them.
const providedHandler = "function.handler"

// serveRecorded is that function: it fails as it is told to, or else tells what
// it sees. The recorded one is written in Rust, whose error type it names.
func serveRecorded() {
	awslambda.Start(func(ctx context.Context, event map[string]any) (any, error) {
		if message, ok := event["error_msg"]; ok {
			return nil, messages.InvokeResponse_Error{Message: fmt.Sprintf("Error: %q", message),
				Type: "&alloc::boxed::Box<dyn core::error::Error + core::marker::Send + core::marker::Sync>"}
		}
		seen := object{}
		for _, pair := range os.Environ() {
			name, value, _ := strings.Cut(pair, "=")
			seen[name] = value
		}
		call, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return object{"packages": []any{}, "environment": seen, "ctx": object{
			"aws_request_id": call.AwsRequestID, "deadline": deadline.UnixMilli(), "invoked_function_arn": call.InvokedFunctionArn,
			"function_name": lambdacontext.FunctionName, "function_version": lambdacontext.FunctionVersion, "memory_limit_in_mb": lambdacontext.MemoryLimitInMB,
			"log_group_name": lambdacontext.LogGroupName, "log_stream_name": lambdacontext.LogStreamName}}, nil
	})
}

// providedBootstrap starts the test binary, without what a shell adds.
func providedBootstrap() string {
	executable, err := os.Executable()
	if err != nil {
		return err.Error()
	}
	return "#!/bin/sh\nunset PWD OLDPWD SHLVL _\nexec " + executable + "\n"
}
