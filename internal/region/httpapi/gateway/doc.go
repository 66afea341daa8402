// Package gateway is the data plane of HTTP APIs: it takes a request, finds the
// API, its stage and route, authorizes the request, asks the integration, and
// answers as API Gateway does.
//
//	g, err := gateway.New(gateway.Config{Account: "123456789012", Region: "us-east-1", Functions: …, Access: …})
//	err = g.Put(definition.API{ID: "a1b2c3d4e5", Stages: …})   // compiled, then swapped in
//	server := http1.Server{Handler: g.HandlerFor("a1b2c3d4e5"), MaxHeaderBytes: gateway.MaxHeaderBytes}
//	g.Serve(w, r)                                              // where only Host says which API it is
//
// The request path reads one immutable snapshot through an atomic pointer and
// takes no lock that is not per route. What the gateway needs of functions,
// access, logs and explanations it declares as small interfaces.
//
// Facts come from the API Gateway Developer Guide ("HTTP APIs") and from traces
// of AWS. What neither settles stands in decisions.go.
package gateway
