package cli

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
