//go:build race

package e2e

// buildFlags are those that roost itself is built with.
const buildFlags = "-race"
