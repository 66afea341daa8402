// Command plain is the baseline of bench/start: a Go server that answers what
// the tutorial's public page does, and nothing else. It prints its address when
// it listens.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("http://" + listener.Addr().String())
	err = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "Hello stranger!")
	}))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
