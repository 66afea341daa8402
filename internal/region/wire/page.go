package wire

import (
	"net/http"
	"strconv"
)

// Page returns one page of a list and the token of the next, which is "" at the
// end. A page has size elements, or limit where no size is given; limit is the
// most that may be asked for. token is that of the page before, or "" for the
// first page; badToken is the service's error for any other text.
func Page[T any](list []T, size *int, limit int, token string, badToken error) ([]T, string, error) {
	if size != nil {
		if *size < 1 || *size > limit {
			return nil, "", Errorf(http.StatusBadRequest, "ValidationException", "1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and %d", *size, limit)
		}
		limit = *size
	}
	from := 0
	if token != "" {
		var err error
		if from, err = strconv.Atoi(token); err != nil || from < 0 || from > len(list) {
			return nil, "", badToken
		}
	}
	to := min(from+limit, len(list))
	next := ""
	if to < len(list) {
		next = strconv.Itoa(to)
	}
	return list[from:to], next, nil
}
