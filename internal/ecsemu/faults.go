package ecsemu

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/draw"
)

// FaultKind is a way to misbehave.
type FaultKind string

// Kinds of faults.
const (
	// FaultLatency holds the answer back for Latency, which every other kind can do too.
	FaultLatency FaultKind = "latency"
	// FaultError answers with Status, Code and Message instead of doing what was asked.
	FaultError FaultKind = "error"
	// FaultTruncate does what was asked, but closes the connection in the middle of the body.
	FaultTruncate FaultKind = "truncate"
	// FaultHTML answers with a web page and Status, 200 if not given, as a proxy in between would.
	FaultHTML FaultKind = "html"
	// FaultLoopToken answers a listing with its first page, and always the same token for a next one.
	FaultLoopToken FaultKind = "loop-token"
	// FaultStale answers reading calls from the state as it was when the fault was set.
	FaultStale FaultKind = "stale"
	// FaultClose closes the connection instead of doing what was asked.
	FaultClose FaultKind = "close"
	// FaultDeleteGroup deletes the group right before its attributes are read. Skip says before which time.
	FaultDeleteGroup FaultKind = "delete-group"
	// FaultEmptyBody answers with status 200 and nothing else, instead of doing what was asked.
	FaultEmptyBody FaultKind = "empty-body"
	// FaultThrottle answers as if the quota were used up.
	FaultThrottle FaultKind = "throttle"
	// FaultLoseAnswer does what was asked, but closes the connection before an answer.
	FaultLoseAnswer FaultKind = "lose-answer"
	// FaultErrorAfter does what was asked, but answers with Status, Code and Message.
	FaultErrorAfter FaultKind = "error-after"
	// FaultIgnore answers a writing call as if it were done, but does nothing. The ClientToken of the call is taken.
	FaultIgnore FaultKind = "ignore"
	// FaultEditBefore makes an Edit to the group that a call is about, right before the call is carried out. That may
	// be a reading call too.
	FaultEditBefore FaultKind = "edit-before"
)

func faultKinds() []FaultKind {
	return []FaultKind{
		FaultLatency, FaultError, FaultTruncate, FaultHTML, FaultLoopToken, FaultStale, FaultClose, FaultDeleteGroup,
		FaultEmptyBody, FaultThrottle, FaultLoseAnswer, FaultErrorAfter, FaultIgnore, FaultEditBefore,
	}
}

// Fault is one way to misbehave, and when. It applies to requests that passed signature and quota. Of several faults
// the first that fires at a request is the only one; a request that a fault skips goes on to the next fault. Whatever
// the kind, the answer is held back for Latency first.
type Fault struct {
	Kind   FaultKind
	Action string // Empty: any the kind makes sense for. It must be one that the server knows.
	Region string // Empty: any. The RegionId of the request.
	Group  string // Empty: any. The SecurityGroupId or PrefixListId of the request.

	Skip  int // How many requests that it applies to are let through first.
	Times int // How many times it fires; 0 is without end.
	// Probability is how likely it is to fire at a request it could fire at; 0 is always. Seed picks the draws, which
	// are taken in the order requests arrive.
	Probability float64
	Seed        uint64

	Latency time.Duration
	// Status is of kinds error, error-after and html. 0: what the documents say of Code, or else 503; 200 of html.
	Status  int
	Code    string // Of kinds error and error-after. Empty: ServiceUnavailable; InternalError of error-after.
	Message string // Of kinds error and error-after. Empty: what the documents say of Code.

	Edit cloud.Edit // Of kind edit-before.
	Rule string     // Of kind edit-before: the ID of the rule to edit; see [cloud.Edit] for what an empty one means.
}

func (f *Fault) validate(known *cloud.Cloud) error {
	if !slices.Contains(faultKinds(), f.Kind) {
		return fmt.Errorf("the kind %q is unknown; known kinds: %q", f.Kind, faultKinds())
	}
	if f.Skip < 0 || f.Times < 0 || f.Latency < 0 {
		return fmt.Errorf("skip (%d), times (%d) and latency (%s) must not be negative", f.Skip, f.Times, f.Latency)
	}
	if f.Probability < 0 || f.Probability > 1 {
		return fmt.Errorf("the probability %g is not from 0 to 1", f.Probability)
	}
	lowest := 200
	if f.Kind == FaultError || f.Kind == FaultErrorAfter {
		lowest = 400
	}
	if f.Status != 0 && (f.Status < lowest || f.Status > 599) {
		return fmt.Errorf("the status %d of the kind %q is not from %d to 599", f.Status, f.Kind, lowest)
	}
	if f.Kind == FaultLatency && f.Latency == 0 {
		return fmt.Errorf("the kind %q needs a latency", f.Kind)
	}
	if err := f.validateEdit(); err != nil {
		return err
	}
	return f.validateAction(known)
}

// validateAction refuses an action at which a fault would never fire.
func (f *Fault) validateAction(known *cloud.Cloud) error {
	if f.Action == "" {
		return nil
	}
	do := known.Named(f.Action)
	if do == nil {
		return fmt.Errorf("the action %q is unknown; known actions: %q", f.Action, known.ActionNames())
	}
	if !f.Kind.suits(do) {
		return fmt.Errorf("the kind %q does not go with the action %q", f.Kind, f.Action)
	}
	return nil
}

// suits tells whether a kind makes sense for an action.
func (k FaultKind) suits(do *cloud.Action) bool {
	switch k {
	case FaultStale:
		return !do.Writes
	case FaultLoopToken:
		return do.Pages
	case FaultDeleteGroup:
		return do.Name == cloud.ActionDescribeAttribute
	case FaultIgnore:
		return do.Writes
	case FaultEditBefore:
		return do.OneGroup
	case FaultLatency, FaultError, FaultTruncate, FaultHTML, FaultClose, FaultEmptyBody, FaultThrottle, FaultLoseAnswer,
		FaultErrorAfter:
	}
	return true
}

// appliesTo tells whether a fault is about a request, and makes sense for it.
func (f *Fault) appliesTo(q *request) bool {
	if !f.Kind.suits(q.do) {
		return false
	}
	group := f.Group == "" || f.Group == q.Params.Get("SecurityGroupId") || f.Group == q.Params.Get("PrefixListId")
	return group && (f.Action == "" || f.Action == q.do.Name) && (f.Region == "" || f.Region == q.Params.Get("RegionId"))
}

// faults are those that are set.
type faults struct {
	mu   sync.Mutex
	list []*armedFault
}

type armedFault struct {
	Fault

	seen  int
	hits  int
	draws draw.Stream
	past  *cloud.World // What a stale read is answered from.
}

// strike picks the fault that fires at a request, if any.
func (f *faults) strike(q *request) *armedFault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range f.list {
		if fault.appliesTo(q) && fault.fires() {
			return fault
		}
	}
	return nil
}

func (f *armedFault) fires() bool {
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

// SetFaults replaces the faults that are set; none clears them. If one makes no sense, nothing changes.
func (s *Server) SetFaults(list []Fault) error {
	var past *cloud.World
	armed := make([]*armedFault, 0, len(list))
	for i, fault := range list {
		if err := fault.validate(s.cloud); err != nil {
			return fmt.Errorf("setting fault %d: %w", i+1, err)
		}
		if fault.Kind == FaultStale && past == nil {
			past = s.cloud.Snapshot()
		}
		armed = append(armed, &armedFault{Fault: fault, draws: draw.From(fault.Seed), past: past})
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.list = armed
	return nil
}

// validateEdit refuses an edit that would never happen.
func (f *Fault) validateEdit() error {
	if f.Kind == FaultEditBefore {
		if !slices.Contains(cloud.Edits(), f.Edit) {
			return fmt.Errorf("the edit %q is unknown; known edits: %q", f.Edit, cloud.Edits())
		}
		return nil
	}
	if f.Edit != "" || f.Rule != "" {
		return fmt.Errorf("the edit %q and the rule %q go with the kind %q only", f.Edit, f.Rule, FaultEditBefore)
	}
	return nil
}

// FaultReport is a fault that is set, and how often it fired.
type FaultReport struct {
	Fault

	Hits int
}

// Faults gives the faults that are set, in their order.
func (s *Server) Faults() []FaultReport {
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	reports := make([]FaultReport, 0, len(s.faults.list))
	for _, fault := range s.faults.list {
		reports = append(reports, FaultReport{Fault: fault.Fault, Hits: fault.hits})
	}
	return reports
}
