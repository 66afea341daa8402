// Package e2e walks through Roost as its users do: the built program, in a
// folder of its own, with other people's programs as clients. It has tests
// only; the transcript of the README is one of them.
package e2e
