// Package attack holds the tests that try to get into a running region: at an
// API's port and at the region's own, with bytes on a connection. Each attack
// stands in a table with what AWS answers to it.
package attack
