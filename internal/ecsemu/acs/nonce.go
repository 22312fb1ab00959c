package acs

import (
	"crypto/sha256"
	"sync"
)

// Nonces remembers the last ones that were used. How long the cloud remembers them, and whether for each key or for
// all, is not documented; here it is for each key, and a number of them. It is safe for use by several goroutines.
type Nonces struct {
	mu       sync.Mutex
	capacity int
	known    map[[sha256.Size]byte]struct{}
	ring     [][sha256.Size]byte // In the order of use from next on, once it is full.
	next     int
}

// NewNonces gives a memory for the last so many nonces of all keys together, at least one. It grows as they come, by
// about 100 bytes each.
func NewNonces(remembered int) *Nonces {
	return &Nonces{capacity: max(remembered, 1), known: map[[sha256.Size]byte]struct{}{}}
}

// Use uses a nonce of a key up. It is false if it is used up already, as far as is remembered.
func (n *Nonces) Use(keyID, nonce string) bool {
	// Only hashes are kept, so that the memory is bounded whatever clients send. A hash of the key first makes it
	// clear where the key ends.
	key := sha256.Sum256([]byte(keyID))
	use := sha256.Sum256(append(key[:], nonce...))
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, used := n.known[use]; used {
		return false
	}
	n.known[use] = struct{}{}
	if len(n.ring) < n.capacity {
		n.ring = append(n.ring, use)
		return true
	}
	delete(n.known, n.ring[n.next])
	n.ring[n.next] = use
	n.next = (n.next + 1) % n.capacity
	return true
}
