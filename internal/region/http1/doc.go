// Package http1 is a small, strict HTTP/1.1 server on plain connections and TLS. It
// serves the gateway's data plane, where every microsecond is paid by every
// request.
//
// A Server takes connections (TCP, TLS, pipes) and calls its Handler, one
// request at a time for each connection:
//
//	s := &http1.Server{Handler: func(w *http1.Response, r *http1.Request) {
//		body, err := r.ReadBody(1 << 20)
//		if err != nil {
//			w.Refuse(err)
//			return
//		}
//		w.Begin(200)
//		w.Header("Content-Type", "text/plain")
//		w.Send(body)
//	}}
//	go s.Serve(listener)
//	defer s.Close(ctx)
//
// What a request holds is what was on the wire: the target and the header
// fields, in their order and spelling, as slices of the connection's buffer.
// They are valid until the handler returns. A handler that keeps one copies it.
//
// The server reads by RFC 9112 and takes none of its liberties: a message
// whose framing could be read in two ways (Content-Length beside
// Transfer-Encoding, a repeated Content-Length, a bare line feed, a folded
// line, a space before a colon) is answered with 400 and the connection is
// closed. Heads, bodies, connections and every wait are bounded.
//
// An answer goes out whole, in one write where it can: Begin, Header…, Send.
// Answers in parts, protocol upgrades, CONNECT and HTTP/2 are not served.
package http1
