package reach

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// analysis answers questions about one list in one walk: what removing a batch of rules does, and what removing single
// rules does beside the rest of the batch.
type analysis struct {
	*List
	bounds

	absent []bool      // by position: the rule is taken as not there
	batch  []bool      // by position
	single []*question // by position of the rule; nil: it is not asked about
	whole  *question   // about the batch; nil: it is not asked about

	questions []*question // all of them

	allProtocols []sg.Protocol
	choices      [][]int16 // of groups that are closed or opened together
	steps        int
}

// question is what removing some rules does, while it is being answered.
type question struct {
	asked   bool           // a removed rule speaks of something
	decides bool           // a removed rule decides about something, or may
	shadows map[int]bool   // positions of the rules that decide about removed ones' traffic before them, or theDefault
	doubts  map[int16]bool // the sets that decide about something

	found   []found           // of the block at hand
	results map[outcome]*area // of the layer at hand

	closes, opens bundle
	stay          [2]map[int32]*witness // by position or theDefault: what permits, and what drops
	closed        Pairs
	rest          map[restKey][]stretch // what is closed of protocols beside the five
}

// bounds are those of an answer.
type bounds struct {
	spaces    int
	witnesses int  // of which it is said what they decide
	details   bool // by spaces as well, not in words only
}

type restKey struct {
	nic nics
	six bool
}

func newQuestion() *question {
	return &question{
		shadows: map[int]bool{}, doubts: map[int16]bool{}, results: map[outcome]*area{}, rest: map[restKey][]stretch{},
		stay: [2]map[int32]*witness{{}, {}},
	}
}

// doubt notes that the answer depends on the contents of sets.
func (q *question) doubt(sets ...int16) {
	for _, s := range sets {
		q.doubts[s] = true
	}
}

// asks tells whether a rule is in question.
func (a *analysis) asks(at int) bool { return a.whole != nil && a.batch[at] || a.single[at] != nil }

// over tells whether the work is too much.
func (a *analysis) over() bool { return a.steps > MaxSteps }

// answer answers all questions, unless that is too much work.
func (a *analysis) answer() {
	for _, ly := range a.layers() {
		w := newWalk(a, &ly)
		w.run()
		for _, q := range a.questions {
			if a.over() {
				return
			}
			w.harvest(q)
		}
	}
}

// harvest takes over what a walk found for a question.
func (w *walk) harvest(q *question) {
	for _, o := range inOrder(q.results) {
		a := q.results[o]
		switch o.kind {
		case closing:
			q.closes.add(w.layer, w.portion(a))
			w.count(q, a)
		case opening:
			q.opens.add(w.layer, w.portion(a))
		case closingGroups:
			w.members(q, &q.closes, o, q.results[outcome{closing, 0, everyPoint}])
		case openingGroups:
			w.members(q, &q.opens, o, q.results[outcome{opening, 0, everyPoint}])
		case permitted, dropped:
			w.stays(q, o, a)
		}
	}
	clear(q.results)
}

func (w *walk) portion(a *area) portion {
	flat, wide := w.flat(a), w.wide(a)
	return portion{patches: w.patches(flat, wide), tracts: w.tracts(flat, wide)}
}

// inOrder gives outcomes in a fixed order.
func inOrder(results map[outcome]*area) []outcome {
	list := make([]outcome, 0, len(results))
	for o := range results {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b outcome) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.by, b.by), cmp.Compare(a.of, b.of))
	})
	return list
}

const tooComplex = "too complex: the rules overlap in more ways than are looked at"

// unknown is an effect of which nothing is known.
func (l *List) unknown(why string) *Effect {
	return &Effect{Scope: ScopeGroup, Class: Unknown, Why: why, Default: l.fallback}
}

// result puts an answer together.
func (a *analysis) result(q *question) *Effect {
	e := &Effect{Scope: ScopeGroup, Default: a.fallback}
	closes, opens := q.closes.titled(a.numbers()), q.opens.titled(a.numbers())
	e.Closes, e.MoreCloses = spaces(closes, a.spaces)
	e.Opens, e.MoreOpens = spaces(opens, a.spaces)
	e.closes, e.opens = tractsOfAll(closes), tractsOfAll(opens)
	e.Closed = q.pairs()
	closed, opened := len(e.Closes)+e.MoreCloses > 0, len(e.Opens)+e.MoreOpens > 0
	switch {
	case len(q.doubts) > 0:
		e.Class, e.Why = Unknown, a.why(q)
	case closed && opened:
		e.Class = Mixed
	case closed:
		e.Class = Closes
	case opened:
		e.Class = Opens
	default:
		e.Class = None
	}
	switch {
	case !q.asked:
		e.idle = true
	case e.Class == None && !q.decides:
		for at := range q.shadows {
			e.ShadowedBy = append(e.ShadowedBy, a.by(at))
		}
		slices.SortFunc(e.ShadowedBy, compareBy)
	default:
		e.StillPermittedBy, e.StillDroppedBy = a.witnessed(q.stay[0]), a.witnessed(q.stay[1])
	}
	return e
}

// numbers are the protocols that rules name by number.
func (a *analysis) numbers() []sg.Protocol { return a.protocols()[ownPlanes : len(a.protocols())-1] }

// ownPlanes is how many protocols have layers of their own in any case.
const ownPlanes = 5

// pairs is what is closed in all.
func (q *question) pairs() Pairs {
	for key, list := range q.rest {
		for _, s := range joined(list) {
			q.closed.add(s.size(), key.six)
		}
	}
	return q.closed
}

func (p *Pairs) add(n float64, isSix bool) {
	if isSix {
		p.IPv6 += n
	} else {
		p.IPv4 += n
	}
}

// maxReasons bounds the sets that a reason names.
const maxReasons = 3

// why says what the answer depends on.
func (a *analysis) why(q *question) string {
	var reasons []string
	for s := range q.doubts {
		if s < 0 {
			continue
		}
		name := a.sets[s].name
		switch a.sets[s].kind {
		case peerGroup:
			reasons = append(reasons, fmt.Sprintf("it is not known which addresses are members of %s", name))
		case unreadList:
			reasons = append(reasons, fmt.Sprintf("the prefix list %s was not read", name))
		case unreadPorts:
			reasons = append(reasons, fmt.Sprintf("the port list %s was not read", name))
		case unreadableRule:
			reasons = append(reasons, fmt.Sprintf("the rule %s could not be understood", name))
		}
	}
	slices.Sort(reasons)
	if more := len(reasons) - maxReasons; more > 0 {
		reasons = append(reasons[:maxReasons], fmt.Sprintf("and %d more things are not known", more))
	}
	return strings.Join(reasons, "; ")
}
