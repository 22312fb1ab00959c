package acs

import (
	"crypto/sha256"
	"sync"
	"time"
)

// Nonces remembers the last ones that were used. How long the cloud remembers them, and whether for each key or for
// all, is not documented; here it is for each key, and a number of them. It is safe for use by several goroutines.
type Nonces struct {
	mu       sync.Mutex
	capacity int
	known    map[[sha256.Size]byte]lastUse
	ring     [][sha256.Size]byte // In the order of use from next on, once it is full.
	next     int
}

// lastUse is when a nonce was used, and where in the ring it is.
type lastUse struct {
	at    time.Time
	place int
}

// NewNonces gives a memory for the last so many nonces of all keys together, at least one. It grows as they come, by
// about 100 bytes each.
func NewNonces(remembered int) *Nonces {
	return &Nonces{capacity: max(remembered, 1), known: map[[sha256.Size]byte]lastUse{}}
}

// Use uses a nonce of a key up. It is false if it is used up already, as far as is remembered.
func (n *Nonces) Use(keyID, nonce string) bool { return n.UseFor(0, keyID, nonce, time.Time{}) }

// UseFor is Use, but forgets a nonce that was used so long before now. 0 is never.
func (n *Nonces) UseFor(lifetime time.Duration, keyID, nonce string, now time.Time) bool {
	// Only hashes are kept, so that the memory is bounded whatever clients send. A hash of the key first makes it
	// clear where the key ends.
	key := sha256.Sum256([]byte(keyID))
	use := sha256.Sum256(append(key[:], nonce...))
	n.mu.Lock()
	defer n.mu.Unlock()
	if last, used := n.known[use]; used && (lifetime == 0 || now.Sub(last.at) < lifetime) {
		return false
	}
	if len(n.ring) < n.capacity {
		n.known[use] = lastUse{now, len(n.ring)}
		n.ring = append(n.ring, use)
		return true
	}
	// What was forgotten and used again has another place by now.
	if oldest := n.ring[n.next]; n.known[oldest].place == n.next {
		delete(n.known, oldest)
	}
	n.known[use] = lastUse{now, n.next}
	n.ring[n.next] = use
	n.next = (n.next + 1) % n.capacity
	return true
}
