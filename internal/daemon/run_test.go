package daemon

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReloadSwapsAccountsWithoutTouchingRunningSweeps(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.options.Parallel = 2
	reload, release, closed := make(chan struct{}), make(chan struct{}), make(chan string, 2)
	began := make(chan string, 1)
	first := of(every(time.Hour), r.account("a", func(ctx context.Context) error {
		began <- "a"
		<-release
		return ctx.Err()
	}))
	first.Close = func() { closed <- "first" }
	second := of(every(time.Hour), r.account("b"))
	second.Close = func() { closed <- "second" }
	r.load(first, second)
	r.options.Reload = reload
	stop := r.start(t)
	wait(t, began, "a")
	reload <- struct{}{}
	wait(t, r.reload, true)
	wait(t, r.swept, "b")
	if at := r.planned("a"); !at.IsZero() {
		t.Errorf("next sweep of a, which is gone: got %s, want none", at)
	}
	if len(closed) != 0 {
		t.Error("the first generation was closed while its sweep ran")
	}
	close(release)
	wait(t, r.swept, "a")
	wait(t, closed, "first")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	wait(t, closed, "second")
	if failed := r.logs.FilterMessage("sweep by schedule failed").Len(); failed != 0 {
		t.Errorf("got %d failed sweeps, want none", failed)
	}
}

func TestReloadByRequest(t *testing.T) {
	t.Parallel()
	r := newRig()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a listener on loopback does not block
	if err != nil {
		t.Fatal(err)
	}
	r.options.Listener = listener
	r.options.Metrics = http.NotFoundHandler()
	first := of(every(time.Hour), r.account("a"))
	var closed int
	first.Close = func() { closed++ }
	r.load(first, nil, first, of(every(time.Hour), r.account("a"), r.account("a")))
	stop := r.start(t)
	wait(t, r.swept, "a")
	base := "http://" + listener.Addr().String()
	steps := []struct {
		name, method, path string
		status             int
		body               string
	}{
		{"healthy", http.MethodGet, "/-/healthy", 200, "ok\n"},
		{"ready", http.MethodGet, "/-/ready", 200, "ok\n"},
		{"bad policy", http.MethodPost, "/-/reload", 500, "not reloaded: policy.yaml:3:1: bad\n"},
		{"still ready", http.MethodGet, "/-/ready", 200, "ok\n"},
		{"good again", http.MethodPost, "/-/reload", 200, "reloaded\n"},
		{"two accounts of one name", http.MethodPost, "/-/reload", 500, "not reloaded: two accounts are called \"a\"\n"},
	}
	for _, step := range steps {
		status, body := request(t, step.method, base+step.path)
		if status != step.status || body != step.body {
			t.Errorf("%s: got %d %q, want %d %q", step.name, status, body, step.status, step.body)
		}
	}
	wait(t, r.reload, false, true, false)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	// It was loaded twice, and is closed for each.
	if closed != 2 {
		t.Errorf("the good generation was closed %d times, want 2", closed)
	}
	if got := r.logs.FilterMessage("reload failed, everything stays as it was").Len(); got != 2 {
		t.Errorf("failed reloads logged: got %d, want 2", got)
	}
}

func request(t *testing.T, method, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(req) //nolint:forbidigo // a test's own request
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestBadReloadKeepsTheOldSchedule(t *testing.T) {
	t.Parallel()
	r := newRig()
	reload := make(chan struct{})
	r.options.Reload = reload
	r.load(of(every(time.Second), r.account("a")), nil)
	r.start(t)
	wait(t, r.swept, "a")
	reload <- struct{}{}
	wait(t, r.reload, false)
	wait(t, r.swept, "a")
}

func TestPanicWhileReloadingIsAnError(t *testing.T) {
	t.Parallel()
	r := newRig()
	d := r.idle()
	d.Load = func(context.Context) (*Generation, error) { panic("secret") }
	err := d.reload(t.Context())
	if _, ok := errors.AsType[*panicError](err); !ok {
		t.Errorf("got %v, want a panic as an error", err)
	}
}

func TestSweepThatStopsWhenToldIsDrained(t *testing.T) {
	t.Parallel()
	r := newRig()
	began := make(chan string, 1)
	r.load(of(every(time.Hour), r.account("a", func(ctx context.Context) error {
		began <- "a"
		<-ctx.Done()
		return ctx.Err()
	})))
	stop := r.start(t)
	wait(t, began, "a")
	if err := stop(); err != nil {
		t.Errorf("got %v, want no error", err)
	}
	wait(t, r.swept, "a")
	if got := r.logs.FilterMessage("sweep by schedule stopped with the daemon").Len(); got != 1 {
		t.Errorf("stopped sweeps logged: got %d, want 1", got)
	}
}

func TestDrainEndsInTimeWithAStuckSweep(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.options.Drain = 50 * time.Millisecond
	began, release := make(chan string, 1), make(chan struct{})
	var closed bool
	generation := of(every(time.Hour), r.account("a", func(context.Context) error {
		began <- "a"
		<-release
		return nil
	}))
	generation.Close = func() { closed = true }
	r.load(generation)
	stop := r.start(t)
	wait(t, began, "a")
	err := stop()
	const want = "stopping: work did not end in time: accounts at work after 50ms: a"
	if !errors.Is(err, ErrDrain) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if closed {
		t.Error("the generation was closed under the stuck sweep")
	}
	close(release)
	wait(t, r.swept, "a")
}

func TestFirstLoadMustWork(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.options.DB = openDB(t)
	r.load(nil)
	err := Run(t.Context(), r.options)
	if err == nil || err.Error() != "policy.yaml:3:1: bad" {
		t.Errorf("got %v, want the error of loading", err)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		apply func(*Options)
		want  string
	}{
		{"no store", func(o *Options) { o.Store = nil }, "the daemon needs Load, Store, Held, DB, Log and Now"},
		{"no metrics", func(o *Options) { o.Listener = &net.TCPListener{} }, "the daemon needs Metrics to serve on a Listener"},
		{"rare settling", func(o *Options) { o.SettleEvery = time.Hour }, "SettleEvery is 1h0m0s, expected more than 0 and at most 5m0s"},
		{"negative drain", func(o *Options) { o.Drain = -time.Second }, "drain is -1s, expected more than 0"},
		{"negative parallel", func(o *Options) { o.Parallel = -1 }, "parallel is -1, expected at least 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig()
			r.options.DB = openDB(t)
			r.load(nil)
			tt.apply(&r.options)
			err := Run(t.Context(), r.options)
			if diff := cmp.Diff(tt.want, text(err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// Not parallel, so that no other test's goroutines are there.
func TestNoGoroutineOutlivesRun(t *testing.T) {
	r := newRig()
	r.store.open = []string{"a"}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a listener on loopback does not block
	if err != nil {
		t.Fatal(err)
	}
	r.options.Listener, r.options.Metrics = listener, http.NotFoundHandler()
	r.load(of(every(time.Hour), r.account("a")))
	stop := r.start(t)
	wait(t, r.swept, "a")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	// A goroutine that was waited for may still be about to end.
	deadline := time.Now().Add(patience)
	for {
		stacks := make([]byte, 1<<20)
		left := string(stacks[:runtime.Stack(stacks, true)])
		if !strings.Contains(left, "riverqueue") && !strings.Contains(left, "daemon.(*") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("goroutines are left:\n%s", left)
		}
		runtime.Gosched()
	}
}
