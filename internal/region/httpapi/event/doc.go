// Package event turns requests into the events that API Gateway's HTTP APIs send
// to functions, and the functions' answers into responses, in payload formats 1.0
// and 2.0 (API Gateway Developer Guide, "Create AWS Lambda proxy integrations for
// HTTP APIs").
//
//	var e event.Encoder             // reusable; one for each goroutine
//	payload := e.V2(&request)       // valid until the next use of e
//	answer, err := event.DecodeV2(functionsAnswer)
//
// Events are written straight into a buffer, without reflection and without a
// map. What the formats leave open is decided in decisions.go, each in one place.
package event
