package daemon

import (
	"sync"
	"time"
)

// longestPause is how long an account is left alone at most whose settling fails again and again.
const longestPause = 5 * time.Minute

// visits let every account be visited by one task at a time, and the less often the more visits fail in a row: after
// the first failure in the next round, then in the second, in the fourth and so on.
type visits struct {
	longest int // pause in rounds

	mu      sync.Mutex
	account map[string]*visit
}

type visit struct {
	running  bool
	failures int // in a row
	pause    int // rounds left out before the next visit
}

func newVisits(every time.Duration) *visits {
	return &visits{longest: max(1, int(longestPause/every)), account: map[string]*visit{}}
}

// begin says whether the account is to be visited in this round. If so, end must follow.
func (v *visits) begin(account string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	at := v.account[account]
	switch {
	case at == nil:
		v.account[account] = &visit{running: true}
	case at.running:
		return false
	case at.pause > 0:
		at.pause--
		return false
	default:
		at.running = true
	}
	return true
}

func (v *visits) end(account string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	at := v.account[account]
	at.running = false
	if err == nil {
		at.failures, at.pause = 0, 0
		return
	}
	at.failures++
	at.pause = v.longest - 1
	if at.failures < 16 { // far above what any pause allows, and far below what a shift does
		at.pause = min(v.longest, 1<<(at.failures-1)) - 1
	}
}

// forgive ends all pauses: the reason for the failures may be gone.
func (v *visits) forgive() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, at := range v.account {
		at.failures, at.pause = 0, 0
	}
}

// names is a set of names for concurrent use.
type names struct {
	mu  sync.Mutex
	set map[string]bool
}

func (n *names) add(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.set == nil {
		n.set = map[string]bool{}
	}
	n.set[name] = true
}

func (n *names) has(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.set[name]
}
