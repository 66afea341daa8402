package twitter

import (
	"crypto/sha256"
	"errors"
	"sync"
	"time"
)

// maxNonces is how many nonces are remembered, at 16 bytes each. When as many
// signed requests arrive within two windows, further ones are refused: to
// forget one of them would let it be replayed.
const maxNonces = 200_000

var (
	errNonceUsed  = errors.New("this nonce was used before with this timestamp: each request needs a nonce of its own")
	errNoncesFull = errors.New("too many signed requests within ten minutes")
)

// nonces remembers the nonces of requests whose timestamps would still be
// accepted (RFC 5849, section 3.3). They are kept in memory only: a replay
// within five minutes of a restart does no harm, as what a token may do only
// once is written to the store.
type nonces struct {
	max int

	mu   sync.Mutex
	seen map[int64]map[nonceKey]struct{} // by timestamp
	size int
}

type nonceKey [16]byte

func newNonces(limit int) *nonces {
	return &nonces{max: limit, seen: make(map[int64]map[nonceKey]struct{})}
}

// use remembers a nonce with its timestamp (in Unix seconds), or fails if it
// was used before. It forgets timestamps before oldest.
func (n *nonces) use(timestamp int64, oldest time.Time, consumerKey, token, nonce string) error {
	sum := sha256.Sum256([]byte(percentEncode(consumerKey) + "&" + percentEncode(token) + "&" + nonce))
	key := nonceKey(sum[:16])
	n.mu.Lock()
	defer n.mu.Unlock()
	for second, keys := range n.seen {
		if second < oldest.Unix() {
			n.size -= len(keys)
			delete(n.seen, second)
		}
	}
	if _, used := n.seen[timestamp][key]; used {
		return errNonceUsed
	}
	if n.size >= n.max {
		return errNoncesFull
	}
	if n.seen[timestamp] == nil {
		n.seen[timestamp] = make(map[nonceKey]struct{})
	}
	n.seen[timestamp][key] = struct{}{}
	n.size++
	return nil
}
