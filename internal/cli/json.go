package cli

import "time"

// jsonFlag is the flag --json. Where it is given, a command prints objects
// instead of words: docs/json.md.
type jsonFlag bool

// AfterApply is called by kong before the command runs.
func (j jsonFlag) AfterApply(s *session) error {
	if j {
		s.term.JSON()
	}
	return nil
}

// timing says when a step of a start was done.
type timing struct {
	Step string    `json:"step"`
	At   time.Time `json:"at"`
}

// done tells a program that reads along that a step of a start is done.
func (s *session) done(step string) { s.term.Event("timing", timing{step, time.Now()}) }
