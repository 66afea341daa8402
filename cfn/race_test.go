//go:build race

package cfn_test

// raceEnabled makes room for the race detector where a test measures time.
const raceEnabled = true
