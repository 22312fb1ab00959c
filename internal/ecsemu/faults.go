package ecsemu

import (
	"cmp"
	"fmt"
	"sync"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/draw"
)

// Fault is one way to misbehave, and when. It applies to requests that passed signature and quota. Of several faults
// the first that fires at a request is the only one; a request that a fault skips goes on to the next fault. A list of
// faults with Times is therefore a script: once the first has fired so often, the second has its turn. Whatever the
// kind, the answer is held back for Latency first.
//
// The fields of the second half belong to some kinds only, as the constants of [FaultKind] say. With any other kind they
// are refused: a fault that does not do what it was written for would be a test that tests nothing.
type Fault struct {
	Kind   FaultKind
	Action string // Empty: any the kind makes sense for. It must be one that the server knows.
	Region string // Empty: any. The RegionId of the request.
	Group  string // Empty: any. The SecurityGroupId or PrefixListId of the request.

	// AfterCalls is how many calls, by any client since the fault was set, must have come before it wakes up: calls of
	// the action After, or of any if that is empty.
	After      string
	AfterCalls int
	// From and Until bound when it fires, by the server's clock. Zero is without bound; Until itself is too late.
	From, Until time.Time
	Skip        int // How many requests that it applies to are let through first.
	Times       int // How many times it fires; 0 is without end.
	// Probability is how likely it is to fire at a request it could fire at; 0 is always. Seed picks the draws, which
	// are taken in the order requests arrive.
	Probability float64
	Seed        uint64
	Latency     time.Duration

	Status      int               // 0: what the documents say of Code, or else 503; 200 of html, answer and oversize.
	Code        string            // Empty: ServiceUnavailable; InternalError of error-after; Throttling.User of throttle.
	Message     string            // Empty: what the documents say of Code.
	Fields      map[string]any    // What members of the answer become. See [FaultAlter].
	How         Ending            // Empty: EndClose.
	Body        string            // Sent as it is.
	ContentType string            // Empty: that of the format the request asked for.
	Location    string            // A header of its own, for redirects.
	Interval    time.Duration     // The time between two bytes.
	Size        int64             // In bytes, before compression. 0: 1 GiB.
	Gzip        bool              // Send compressed what is too large: a megabyte for a gigabyte.
	Count       int               // How many; 0 is one.
	Params      map[string]string // Parameters of a call.
	Lag         time.Duration     // How old what is read is.
	Edit        cloud.Edit
	Rule        string // The ID of the rule to edit; see [cloud.Edit] for what an empty one means.
}

// Ending is how a connection ends without an answer.
type Ending string

// Endings.
const (
	EndClose Ending = "close" // In order.
	EndReset Ending = "reset" // By a TCP reset.
	EndHang  Ending = "hang"  // Not before the client gives up, or the server is stopped.
)

// appliesTo tells whether a fault is about a request, and makes sense for it.
func (f *armedFault) appliesTo(q *request) bool {
	if f.row.handshake || f.row.suits != nil && !f.row.suits(q.do) {
		return false
	}
	group := f.Group == "" || f.Group == q.Params.Get("SecurityGroupId") || f.Group == q.Params.Get("PrefixListId")
	return group && (f.Action == "" || f.Action == q.do.Name) &&
		(f.Region == "" || f.Region == q.Params.Get("RegionId")) && (!f.row.later || isLaterPage(q.Params))
}

// faults are those that are set.
type faults struct {
	mu   sync.Mutex
	list []*armedFault
}

type armedFault struct {
	Fault

	row    kindRow
	before int // Calls that AfterCalls counts.
	seen   int
	hits   int
	failed string // Why the last call that the fault made by itself was refused.
	draws  draw.Stream
	past   *cloud.World // What a stale or lagging read is answered from.
	shown  *identity    // What a handshake shows instead of the server's certificate.
}

// strike picks the fault that fires at a request, if any.
func (f *faults) strike(q *request, now time.Time) *armedFault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var picked *armedFault
	for _, fault := range f.list {
		if picked == nil && fault.appliesTo(q) && fault.fires(now) {
			picked = fault
		}
		if fault.After == "" || fault.After == q.do.Name {
			fault.before++
		}
	}
	return picked
}

// strikeHandshake picks the fault that fires at a TLS handshake, if any.
func (f *faults) strikeHandshake(now time.Time) *armedFault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range f.list {
		if fault.row.handshake && fault.fires(now) {
			return fault
		}
	}
	return nil
}

func (f *armedFault) fires(now time.Time) bool {
	asleep := f.before < f.AfterCalls || now.Before(f.From) || !f.Until.IsZero() && !now.Before(f.Until)
	if asleep {
		return false
	}
	f.seen++
	if f.seen <= f.Skip || f.Times > 0 && f.hits >= f.Times {
		return false
	}
	if f.Probability > 0 && f.draws.Chance() >= f.Probability {
		return false
	}
	f.hits++
	return true
}

// fail notes why a call that a fault made by itself was refused, for its report.
func (f *faults) fail(fault *armedFault, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fault.failed = err.Error()
}

// SetFaults replaces the faults that are set; none clears them. If one makes no sense, nothing changes.
func (s *Server) SetFaults(list []Fault) error {
	table := kindTable()
	for i := range list {
		if err := list[i].validate(s.cloud, table); err != nil {
			return inElement(i, err, "setting fault %d")
		}
	}
	armed := make([]*armedFault, 0, len(list))
	var past *cloud.World
	for _, fault := range list {
		a := &armedFault{Fault: fault, row: table.row(fault.Kind), draws: draw.From(fault.Seed)}
		switch fault.Kind { //nolint:exhaustive // The others need nothing.
		case FaultStale:
			past = cmp.Or(past, s.cloud.Snapshot())
			a.past = past
		case FaultLag:
			a.past = s.cloud.Follow(fault.Lag)
		case FaultTLSCertificate:
			other, err := newIdentity(nil)
			if err != nil {
				return fmt.Errorf("setting fault: %w", err)
			}
			a.shown = other
		}
		armed = append(armed, a)
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	for _, old := range s.faults.list {
		s.cloud.Unfollow(old.past)
	}
	s.faults.list = armed
	return nil
}

// FaultReport is a fault that is set, and how often it fired.
type FaultReport struct {
	Fault

	Hits   int
	Failed string // Why the last call that the fault made by itself was refused; empty if none was.
}

// Faults gives the faults that are set, in their order.
func (s *Server) Faults() []FaultReport {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	reports := make([]FaultReport, 0, len(s.faults.list))
	for _, fault := range s.faults.list {
		reports = append(reports, FaultReport{Fault: fault.Fault, Hits: fault.hits, Failed: fault.failed})
	}
	return reports
}
