package objects

import (
	"encoding/json"
	"strings"

	"github.com/seed-615d3599/roost/internal/region/store"
)

// Query says which keys of a bucket are meant. With a delimiter, keys that have
// it behind the prefix are taken together.
type Query struct{ Bucket, Prefix, Delimiter string }

// batch is how many records are read at once.
const batch = 1000

// Walk goes over the latest versions of a bucket's keys in order. visit gets
// each, with the common prefix that stands for it, and says whether to stop. Of
// the keys under a common prefix those after the first that is no delete marker
// are passed over.
func Walk(tx *store.Tx, q Query, after string, visit func(o *Object, prefix string) (stop bool, err error)) error {
	begin, end := Key(q.Bucket, q.Prefix), Key(q.Bucket, q.Prefix)+"\xff"
	if after != "" {
		begin = max(begin, Key(q.Bucket, after)+"\x00")
		if q.Delimiter != "" && strings.HasSuffix(after, q.Delimiter) && len(after) > len(q.Prefix) && strings.HasPrefix(after, q.Prefix) {
			begin = Key(q.Bucket, after) + "\xff" // a common prefix: all under it was told
		}
	}
	for begin != "" {
		items, err := tx.Range(KindObject, begin, end, batch)
		if err != nil {
			return err
		}
		if begin, err = walkItems(items, q, visit); err != nil {
			return err
		}
	}
	return nil
}

// walkItems visits a batch and returns where the next begins, "" for nowhere.
func walkItems(items []store.Item, q Query, visit func(*Object, string) (bool, error)) (string, error) {
	for _, item := range items {
		var o Object
		if err := json.Unmarshal(item.Value, &o); err != nil {
			return "", err
		}
		prefix := commonPrefix(o.Key, q.Prefix, q.Delimiter)
		stop, err := visit(&o, prefix)
		if err != nil || stop {
			return "", err
		}
		if prefix != "" && !o.Marker {
			return Key(q.Bucket, prefix) + "\xff", nil
		}
	}
	if len(items) < batch {
		return "", nil
	}
	return items[len(items)-1].Key + "\x00", nil
}

// commonPrefix returns a key up to the first delimiter behind the prefix, or "".
func commonPrefix(key, prefix, delimiter string) string {
	if delimiter == "" {
		return ""
	}
	i := strings.Index(key[len(prefix):], delimiter)
	if i < 0 {
		return ""
	}
	return key[:len(prefix)+i+len(delimiter)]
}
