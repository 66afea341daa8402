// Package guests deploys functions with other people's frameworks, unmodified,
// and calls them through HTTP APIs of both payload formats. Each framework
// reads the event in its own way and looks at fields that others ignore: what
// they answer is the proof that events and responses are as on AWS.
//
// The functions are in the folders go, node and python, which have dependencies
// of their own; template.yaml has all that is deployed.
package guests

import (
	"slices"
	"testing"
)

// guests are the functions by the names that the template has for them.
var guests = []string{"nethttp", "chi", "gin", "express", "fastify", "hono", "fastapi", "powertools"}

// TestGuests sends every case to every guest in both formats.
func TestGuests(t *testing.T) {
	endpoints := deploy(t, zips(t))
	for _, guest := range guests {
		for _, format := range []string{"1.0", "2.0"} {
			t.Run(guest+"/"+format, func(t *testing.T) {
				t.Parallel()
				endpoint := endpoints[guest+"V"+format[:1]]
				for _, c := range cases {
					if !slices.Contains(c.not, guest) {
						t.Run(c.name, func(t *testing.T) { c.run(t, endpoint) })
					}
				}
				t.Run("event", func(t *testing.T) { checkEvent(t, endpoint, format) })
				t.Run("stage", func(t *testing.T) { checkStage(t, endpoint, knowsStages(guest, format)) })
			})
		}
	}
}
