package feeds

import (
	"context"
	"sync"
)

// Memory keeps copies for as long as the process lasts: for commands without a store. The zero value is empty.
type Memory struct {
	mu     sync.Mutex
	copies map[string]Copy
}

// Get implements [Copies].
func (m *Memory) Get(_ context.Context, url string) (c Copy, ok bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok = m.copies[url]
	return c, ok, nil
}

// Put implements [Copies].
func (m *Memory) Put(_ context.Context, c Copy) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.copies == nil {
		m.copies = map[string]Copy{}
	}
	m.copies[c.URL] = c
	return nil
}
