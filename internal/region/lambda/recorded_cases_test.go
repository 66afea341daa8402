package lambda_test

// conformance runs recorded cases. Each of the recorded tests must be in one of
// the two tables, by the beginning of its name.
type conformance struct {
	run     map[string]func(*region, recording)
	leftOut map[string]string
}

func cases() conformance {
	runtimeError := func(source string) func(*region, recording) {
		return func(r *region, rec recording) { r.recordedFailure(rec, "invocation_error", source) }
	}
	python := func(source string) func(*region, recording) {
		return func(r *region, rec recording) {
			r.recordedInvoke(rec, stormGuest{"python3.12", "handler.handler", map[string]string{"handler.py": source}})
		}
	}
	node := func(source string) func(*region, recording) {
		return func(r *region, rec recording) {
			r.recordedInvoke(rec, stormGuest{"nodejs22.x", "index.handler", map[string]string{"index.js": source}})
		}
	}
	return conformance{
		run: map[string]func(*region, recording){
			"test_introspection_invoke[python":    (*region).recordedIntrospection,
			"test_introspection_invoke[nodejs":    (*region).recordedIntrospection,
			"test_uncaught_exception_invoke[p":    (*region).recordedException,
			"test_uncaught_exception_invoke[n":    (*region).recordedException,
			"test_runtime_wrapper_invoke":         (*region).recordedWrapper,
			"test_lambda_invoke_with_timeout":     python("import time\ndef handler(e, c):\n    time.sleep(30)"),
			"test_lambda_invoke_no_timeout":       python("def handler(e, c):\n    pass"),
			"test_invocation_with_logs[python":    python(echoPython),
			"test_invocation_with_logs[nodejs":    node(echoNode),
			"test_invocation_type_":               (*region).recordedTypes,
			"test_invoke_exceptions":              (*region).recordedMissing,
			"test_lambda_runtime_error":           runtimeError("raise Exception(\"Runtime startup fails\")\n"),
			"test_lambda_runtime_exit":            runtimeError("import sys\nsys.exit(0)\n"),
			"test_lambda_handler_exit":            runtimeError("import sys\ndef handler(event, context):\n    sys.exit(0)\n"),
			"test_lambda_handler_error":           runtimeError("def handler(event, context):\n    raise Exception(\"Handler fails\")\n"),
			"test_lambda_runtime_wrapper_not":     (*region).recordedNoWrapper,
			"test_lambda_invoke_payload_encoding": (*region).recordedBadPayload,
			"test_lambda_too_large_response":      python("def handler(e, c):\n    return 'x' * 7000000"),
			"test_lambda_concurrency_crud":        (*region).recordedConcurrency,
			"test_request_id_invoke":              python("import logging\nlogging.getLogger().setLevel(logging.INFO)\ndef handler(e, c):\n    logging.info('RequestId log message')\n    return c.aws_request_id"),
			"test_lambda_url_invalid_invoke_mode": (*region).recordedURLMode,
			"test_lambda_url_invocation[":         (*region).recordedURL,

			"test_introspection_invoke[provided":       (*region).recordedIntrospection,
			"test_uncaught_exception_invoke[provided":  (*region).recordedException,
			"test_lambda_concurrency_update":           (*region).recordedReservation,
			"test_reserved_concurrency":                (*region).recordedReserved,
			"test_reserved_concurrency_async_queue":    (*region).recordedBusy,
			"test_provisioned_concurrency":             (*region).recordedProvisioned,
			"test_lambda_provisioned_concurrency_sche": (*region).recordedProvisioned,
			"test_lambda_url_invocation_exception":     (*region).recordedURLSettings,
			"test_lambda_url_echo_invoke":              (*region).recordedURLSettings,
			"test_lambda_url_echo_http_fixture_trim":   (*region).recordedURLEcho,
			"test_lambda_url_form_payload":             (*region).recordedURLEcho,
			"test_lambda_url_persists_after_alias":     (*region).recordedURLAfterAlias,
			"test_lambda_update_function_url_config":   (*region).recordedURLUpdate,
			"test_function_url_with_response":          (*region).recordedURLStream,
			"test_request_id_async":                    (*region).recordedRequestIDs,
			"test_request_id_invoke_url":               (*region).recordedURLRequestID,
			"test_assess_lambda_destination":           (*region).recordedDestination,
			"test_lambda_destination_default_retries":  (*region).recordedDestination,
			"test_retries":                             (*region).recordedDestination,
			"test_invocation_type_event_error":         (*region).recordedEventError,
		},
		leftOut: map[string]string{
			"test_lambda_runtime_exit_segfault":         "AWS lets the caller wait for the whole time limit; here the signal is told at once",
			"test_lambda_concurrency_block":             "needs provisioned environments, which are kept as a setting",
			"test_lambda_provisioned_concurrency_moves": "needs provisioned environments, which are kept as a setting; it was recorded with a function from before LoggingConfig",
			"test_provisioned_concurrency_init_failure": "needs provisioned environments, which are kept as a setting",
			"test_lambda_url_invocation_custom_id":      "records nothing",
			"test_lambda_url_echo_http_fixture_default": "its path, /pa2%Fth/1, is no valid URL, and refused here; the case beside it has the rest",
			"test_lambda_url_headers_and_status":        "records nothing",
			"test_lambda_url_non_existing_url":          "records nothing",
			"test_function_concurrency":                 "records nothing",
			"test_request_id_format":                    "records nothing",
			"test_maxeventage":                          "needs SQS; TestEventsReachTheirDestination holds the condition, with a function as the destination",
			"test_dead_letter_queue":                    "needs SQS; a dead letter queue is refused by name",
			"test_invoke_lambda_eventbridge":            "needs EventBridge",
		},
	}
}
