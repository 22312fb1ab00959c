package main

import (
	"bytes"
	"context"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// gate stands in front of an emulator and keeps the calls of one action waiting, or their answers.
type gate struct {
	next http.Handler

	mu  sync.Mutex
	bar *bar
}

// bar is what a gate keeps, and until when.
type bar struct {
	action  string
	answers bool          // the calls get through, their answers do not
	arrived chan struct{} // closed when the first such call has come; with answers, once it took effect
	once    sync.Once
	opened  chan struct{} // closed when all may go on
	open    func()
}

func newBar(action string, answers bool) *bar {
	b := &bar{action: action, answers: answers, arrived: make(chan struct{}), opened: make(chan struct{})}
	b.open = sync.OnceFunc(func() { close(b.opened) })
	return b
}

func (g *gate) lower(b *bar) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.bar != nil {
		g.bar.open()
	}
	g.bar = b
}

func (g *gate) lowered() *bar {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.bar
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b := g.lowered()
	if r.URL.Query().Get("Action") != b.action {
		g.next.ServeHTTP(w, r)
		return
	}
	if !b.answers {
		b.once.Do(func() { close(b.arrived) })
		select {
		case <-b.opened:
			g.next.ServeHTTP(w, r)
		case <-r.Context().Done(): // who sent it gave up: it never arrives
		}
		return
	}
	answer := httptest.NewRecorder()
	g.next.ServeHTTP(answer, r.WithContext(context.WithoutCancel(r.Context())))
	b.once.Do(func() { close(b.arrived) })
	select {
	case <-b.opened:
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = io.Copy(w, bytes.NewReader(answer.Body.Bytes())) // who asked may be gone
	case <-r.Context().Done():
	}
}

func (g *gate) await(ts *testscript.TestScript) {
	if g == nil {
		ts.Fatalf("nothing is held")
	}
	b := g.lowered()
	ctx, cancel := context.WithTimeout(storyOf(ts).tb.Context(), patience)
	defer cancel()
	select {
	case <-b.arrived:
	case <-ctx.Done():
		ts.Fatalf("no call of %s came", b.action)
	}
}

// cmdHold puts a gate in front of the emulator, or has the one that is there keep something else from now on.
func cmdHold(ts *testscript.TestScript, args []string) {
	answers := len(args) == 2 && args[0] == "-answer"
	if answers {
		args = args[1:]
	}
	if len(args) != 1 {
		ts.Fatalf("usage: hold [-answer] ACTION")
	}
	s := storyOf(ts)
	if s.gate == nil {
		target, err := url.Parse(ts.Getenv("ENDPOINT"))
		ts.Check(err)
		proxy := httputil.NewSingleHostReverseProxy(target)
		proxy.ErrorLog = log.New(io.Discard, "", 0) // of clients that went away
		s.gate = &gate{next: proxy}
		server := httptest.NewServer(s.gate)
		ts.Defer(func() {
			s.gate.lowered().open()
			server.CloseClientConnections()
			server.Close()
		})
		ts.Setenv("HELD", server.URL)
	}
	s.gate.lower(newBar(args[0], answers))
}

// cmdRelease lets everything go on that a gate keeps, and whatever comes later.
func cmdRelease(ts *testscript.TestScript, args []string) {
	g := storyOf(ts).gate
	if len(args) != 0 || g == nil {
		ts.Fatalf("usage: release, once something is held")
	}
	g.lower(newBar("", false))
}
