package session

import "errors"

// ErrReported ends a command with status 1 whose failure has been printed.
var ErrReported = errors.New("reported")

// Usage is a mistake in the arguments that only the command finds. It ends the run
// with status 2.
type Usage struct{ Err error }

// Error implements error.
func (u Usage) Error() string { return u.Err.Error() }

// Unwrap returns what is wrong.
func (u Usage) Unwrap() error { return u.Err }
