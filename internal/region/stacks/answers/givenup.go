package answers

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/seed-615d3599/roost/internal/region/store"
)

// Hopeless reports whether the request in the payload of a function's
// asynchronous call is not to be sent again after an error of this type.
//
// [?] AWS tries every call three times, and waits up to an hour for the answer
// whatever became of them. Here a custom resource fails with its last attempt, and
// with the first one where the function can't be loaded: a minute changes nothing
// about that, and whoever sits before the deployment can.
func (a *Answers) Hopeless(payload []byte, errorType string) bool {
	_, asked := questionIn(payload)
	return asked && unloadable(errorType)
}

func unloadable(errorType string) bool {
	return slices.Contains([]string{
		"Runtime.ImportModuleError", "Runtime.UserCodeSyntaxError", "Runtime.HandlerNotFound", "Runtime.MalformedHandlerName",
		"Runtime.InvalidEntrypoint", "InvalidParameterValueException", // the last one: a runtime that is not run here
	}, errorType)
}

// GivenUp ends the wait for the answer to the request in the payload, which will
// not be sent again; the error says why. An answer that is there already counts.
func (a *Answers) GivenUp(ctx context.Context, payload []byte, attempts int, errorType, message string) error {
	hash, asked := questionIn(payload)
	if !asked {
		return nil
	}
	return a.config.DB.Update(ctx, func(_ context.Context, tx *store.Tx) error {
		q := &question{}
		found, err := tx.Get(kind, hash, q)
		if err != nil || !found || q.Many {
			return err
		}
		q.GivenUp = message
		q.Unheard = attempts <= 1 && unloadable(errorType)
		tx.OnCommit(a.tell)
		return tx.Put(kind, hash, q)
	})
}

// questionIn returns under which hash the request in a payload was asked.
func questionIn(payload []byte) (hash string, ok bool) {
	var asked struct{ ResponseURL string }
	if json.Unmarshal(payload, &asked) != nil {
		return "", false
	}
	key, ok := keyIn(asked.ResponseURL)
	return hashOf(key), ok
}
