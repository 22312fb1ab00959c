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
	reader RuleReader
	region sg.Region
	out    *collector

	mu       sync.Mutex
	prefixes map[string]*listRead
	ports    map[string]bool // those that were noted
}

func newLists(reader RuleReader, region sg.Region, out *collector) *lists {
	return &lists{
		reader: reader, region: region, out: out,
		prefixes: map[string]*listRead{}, ports: map[string]bool{},
	}
}

// resolve fills in the prefix lists of rules. A list that cannot be read stays nil, and is reported once.
func (l *lists) resolve(ctx context.Context, rules []sg.Rule) {
	for i := range rules {
		rule := &rules[i]
		if rule.PortListID != "" {
			l.notePorts(rule.PortListID)
		}
		if rule.Destination.Kind == sg.FromList {
			rule.Destination.List = l.prefix(ctx, rule.Destination.Text)
		}
	}
}

// listRead is the one reading of a prefix list. list may be looked at once done is closed.
type listRead struct {
	done chan struct{}
	list *sg.PrefixList // nil if it could not be read
}

// prefix gives a list, reading it at the first call for it; calls meanwhile wait for that one. A failure is kept as
// well, so that all rules of a region see the same list, or none of them sees it.
func (l *lists) prefix(ctx context.Context, id string) *sg.PrefixList {
	l.mu.Lock()
	read, known := l.prefixes[id]
	if !known {
		read = &listRead{done: make(chan struct{})}
		l.prefixes[strings.Clone(id)] = read // it is part of a page
	}
	l.mu.Unlock()
	if !known {
		read.list = l.read(ctx, id)
		close(read.done)
	}
	<-read.done
	return read.list
}

func (l *lists) read(ctx context.Context, id string) *sg.PrefixList {
	list, err := l.reader.PrefixList(ctx, l.region, id)
	if err != nil {
		err = fmt.Errorf("reading prefix list %s: %w", id, err)
		l.out.problem(Problem{Region: l.region.ID, List: id, Err: err})
		return nil
	}
	return &list
}

func (l *lists) notePorts(id string) {
	l.mu.Lock()
	noted := l.ports[id]
	if !noted {
		l.ports[strings.Clone(id)] = true
	}
	l.mu.Unlock()
	if !noted {
		l.out.problem(Problem{Region: l.region.ID, List: id, Err: fmt.Errorf(
			"port list %s: this version does not read port lists, so ports of rules using it are unknown", id)})
	}
}
