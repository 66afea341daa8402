// Command plain is the baseline of bench/start: a Go server that answers what
// the tutorial's public page does, at the address that it is given, and nothing else.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	err = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "Hello stranger!")
	}))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
