package scanner

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// lists holds the prefix lists and port lists that rules of one region refer to.
type lists struct {
	prefixes listReads[sg.PrefixList]
	ports    listReads[sg.PortList]
}

func newLists(reader RuleReader, region sg.Region, out *collector) *lists {
	return &lists{
		prefixes: listReads[sg.PrefixList]{
			kind: "prefix list", fetch: reader.PrefixList, region: region, out: out,
			known: map[string]*listRead[sg.PrefixList]{},
		},
		ports: listReads[sg.PortList]{
			kind: "port list", fetch: reader.PortList, region: region, out: out,
			known: map[string]*listRead[sg.PortList]{},
		},
	}
}

// resolve fills in the lists of rules. A list that cannot be read stays nil, and is reported once.
func (l *lists) resolve(ctx context.Context, rules []sg.Rule) {
	for i := range rules {
		rule := &rules[i]
		if rule.PortListID != "" {
			rule.PortList = l.ports.get(ctx, rule.PortListID)
		}
		if rule.Destination.Kind == sg.FromList {
			rule.Destination.List = l.prefixes.get(ctx, rule.Destination.Text)
		}
	}
}

// listReads are the readings of one kind of lists.
type listReads[L any] struct {
	kind   string // for people
	fetch  func(ctx context.Context, region sg.Region, id string) (L, error)
	region sg.Region
	out    *collector

	mu    sync.Mutex
	known map[string]*listRead[L] // by ID
}

// listRead is the one reading of a list. list may be looked at once done is closed.
type listRead[L any] struct {
	done chan struct{}
	list *L // nil if it could not be read
}

// get gives a list, reading it at the first call for it; calls meanwhile wait for that one. A failure is kept as
// well, so that all rules of a region see the same list, or none of them sees it.
func (l *listReads[L]) get(ctx context.Context, id string) *L {
	l.mu.Lock()
	read, known := l.known[id]
	if !known {
		read = &listRead[L]{done: make(chan struct{})}
		l.known[strings.Clone(id)] = read // it is part of a page
	}
	l.mu.Unlock()
	if !known {
		read.list = l.read(ctx, id)
		close(read.done)
	}
	<-read.done
	return read.list
}

func (l *listReads[L]) read(ctx context.Context, id string) *L {
	list, err := l.fetch(ctx, l.region, id)
	if err != nil {
		err = fmt.Errorf("reading %s %s: %w", l.kind, id, err)
		l.out.problem(Problem{Region: l.region.ID, List: id, Err: err})
		return nil
	}
	return &list
}
