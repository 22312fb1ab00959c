package feeds_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/feeds"
)

// secret is in the query of every URL. Nothing that is said may hold it.
const secret = "canary-of-the-feed"

// site is a server over TLS, and a fetcher that trusts it. The clock stands still but for what the test adds.
type site struct {
	*feeds.Fetcher

	server *httptest.Server
	url    string
	asked  atomic.Int64
	waited atomic.Int64

	mu  sync.Mutex
	now time.Time
}

func newSite(t *testing.T, serve http.HandlerFunc) *site {
	t.Helper()
	s := &site{now: time.Date(2027, time.January, 15, 12, 0, 0, 0, time.UTC)}
	s.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		serve(w, r)
	}))
	t.Cleanup(s.server.Close)
	s.url = s.server.URL + "/list.txt?token=" + secret
	s.Fetcher = s.fetcher(t, func(o *feeds.Options) { o.CAs.AddCert(s.server.Certificate()) })
	return s
}

func (s *site) fetcher(t *testing.T, change func(*feeds.Options)) *feeds.Fetcher {
	t.Helper()
	o := feeds.Options{
		Now: func() time.Time {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.now
		},
		Wait:      func(context.Context, time.Duration) error { s.waited.Add(1); return nil },
		UserAgent: "egress-janitor/test", CAs: x509.NewCertPool(), Timeout: 10 * time.Second,
	}
	change(&o)
	f := feeds.New(o)
	t.Cleanup(f.Close)
	return f
}

func (s *site) later(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// wants is the URL with an age of four hours, so that it is due once an hour.
func (s *site) wants() []feeds.Wanted {
	return []feeds.Wanted{{URL: s.url, MaxAge: 4 * time.Hour, Check: good}}
}

// refresh refreshes the URL of the site.
func (s *site) refresh(t *testing.T, copies feeds.Copies) feeds.State {
	t.Helper()
	states := s.Refresh(t.Context(), s.wants(), copies)
	state, ok := states[s.url]
	if !ok || len(states) != 1 {
		t.Fatalf("got states of %d URLs", len(states))
	}
	if strings.Contains(state.Problem, secret) {
		t.Errorf("the secret is in %q", state.Problem)
	}
	return state
}

// good takes what has "good" in it.
func good(data []byte) error {
	if !bytes.Contains(data, []byte("good")) {
		return errors.New("not good")
	}
	return nil
}

func serveText(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, text) }
}

func TestACopyIsFetchedAndKept(t *testing.T) {
	t.Parallel()
	var header http.Header
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		header = r.Header.Clone()
		w.Header().Set("ETag", `"one"`)
		w.Header().Set("Last-Modified", "Fri, 15 Jan 2027 10:00:00 GMT")
		serveText("good\r\n")(w, r)
	})
	var copies feeds.Memory
	want := feeds.State{New: true, Copy: feeds.Copy{
		URL: s.url, Data: []byte("good\r\n"), ETag: `"one"`, LastModified: "Fri, 15 Jan 2027 10:00:00 GMT", Fetched: s.now, Checked: s.now,
	}}
	if diff := cmp.Diff(want, s.refresh(t, &copies)); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	kept, ok, err := copies.Get(t.Context(), s.url)
	if diff := cmp.Diff(want.Copy, kept); diff != "" || !ok || err != nil {
		t.Errorf("ok %t, error %v, kept (-want +got):\n%s", ok, err, diff)
	}
	if header.Get("User-Agent") != "egress-janitor/test" || header.Get("Accept-Encoding") != "" || header.Get("If-None-Match") != "" {
		t.Errorf("asked with %v", header)
	}
}

func TestACopyIsFetchedAgainOnlyWhenItIsDue(t *testing.T) {
	t.Parallel()
	s := newSite(t, serveText("good\n"))
	var copies feeds.Memory
	s.refresh(t, &copies)
	for _, step := range []struct {
		wait time.Duration
		want int64
	}{{0, 1}, {time.Hour - time.Second, 1}, {time.Second, 2}, {59 * time.Minute, 2}, {time.Minute, 3}} {
		s.later(step.wait)
		if due := len(s.Due(s.wants())) == 1; due != (s.asked.Load() < step.want) {
			t.Errorf("after %s more: due %t", step.wait, due)
		}
		s.refresh(t, &copies)
		if got := s.asked.Load(); got != step.want {
			t.Errorf("after %s more: asked %d times, want %d", step.wait, got, step.want)
		}
	}
}

func TestWhoIsEagerAsksEveryTime(t *testing.T) {
	t.Parallel()
	s := newSite(t, serveText("good\n"))
	s.Fetcher = s.fetcher(t, func(o *feeds.Options) {
		o.Eager = true
		o.CAs.AddCert(s.server.Certificate())
	})
	var copies feeds.Memory
	s.refresh(t, &copies)
	if state := s.refresh(t, &copies); !state.New || s.asked.Load() != 2 {
		t.Errorf("asked %d times, want 2", s.asked.Load())
	}
}

func TestIntervalsHaveBounds(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name             string
		maxAge, interval time.Duration
	}{
		{"a minute", time.Minute, 15 * time.Minute},
		{"two hours", 2 * time.Hour, 30 * time.Minute},
		{"a week", 7 * 24 * time.Hour, 24 * time.Hour},
		{"for ever", 0, 24 * time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, serveText("good\n"))
			wanted := []feeds.Wanted{{URL: s.url, MaxAge: test.maxAge, Check: good}}
			s.Refresh(t.Context(), wanted, &feeds.Memory{})
			s.later(test.interval - time.Second)
			if len(s.Due(wanted)) != 0 {
				t.Error("it is due too early")
			}
			s.later(time.Second)
			if len(s.Due(wanted)) != 1 {
				t.Error("it is not due in time")
			}
		})
	}
}

func TestWhatHasNotChangedIsNotFetched(t *testing.T) {
	t.Parallel()
	conditions := make(chan string, 10)
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		conditions <- r.Header.Get("If-None-Match") + " " + r.Header.Get("If-Modified-Since")
		if r.Header.Get("If-None-Match") == `"one"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"one"`)
		serveText("good\n")(w, r)
	})
	var copies feeds.Memory
	first := s.refresh(t, &copies)
	s.later(2 * time.Hour)
	second := s.refresh(t, &copies)
	want := first
	want.Copy.Checked = s.now
	if diff := cmp.Diff(want, second); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	if one, two := <-conditions, <-conditions; one != " " || two != `"one" ` {
		t.Errorf("asked under the conditions %q and %q", one, two)
	}
	// What is wanted now is not what the copy holds: whether that has changed is no question.
	s.Refresh(t.Context(), []feeds.Wanted{{URL: s.url, Check: func([]byte) error { return errors.New("other") }}}, &copies)
	if three := <-conditions; three != " " {
		t.Errorf("asked under the condition %q, want none", three)
	}
}

func TestABadAnswerChangesNothing(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(serveText("good\n"))
	t.Cleanup(elsewhere.Close)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte("good\n")); err != nil || w.Close() != nil {
		t.Fatal("packing")
	}
	for _, test := range []struct {
		name  string
		serve http.HandlerFunc
		want  string
		asked int64
	}{
		{"not found", http.NotFound, "the server answered 404 Not Found", 1},
		{"an error of the server", status(503), "the server answered 503 Service Unavailable", 2},
		{"too many requests", status(429), "the server answered 429 Too Many Requests", 2},
		{"a part", status(206), "the server answered 206 Partial Content", 1},
		{"no content", status(204), "the server answered 204 No Content", 1},
		{"a status of its own", status(599), "the server answered 599", 2},
		{"what the check refuses", serveText("<html>"), "what it holds now cannot be used: not good", 1},
		{"nothing", serveText(""), "what it holds now cannot be used: not good", 1},
		{
			"compressed", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = w.Write(packed.Bytes())
			}, "the server answered in a compressed form, which was not asked for", 1,
		},
		{
			"cut", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "1000")
				_, _ = fmt.Fprint(w, "good\n")
			}, "the connection ended before the answer was whole", 2,
		},
		{
			"too long, as it says", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", fmt.Sprint(feeds.MaxBytes+1))
				_, _ = fmt.Fprint(w, "good\n")
			}, "the answer has more than 33554432 bytes", 1,
		},
		{
			"too long", func(w http.ResponseWriter, _ *http.Request) {
				_ = http.NewResponseController(w).Flush() // so that no length is sent
				_, _ = w.Write(bytes.Repeat([]byte("good"), feeds.MaxBytes/4+1))
			}, "the answer has more than 33554432 bytes", 1,
		},
		{
			"redirected to http", http.RedirectHandler(elsewhere.URL+"?"+secret, http.StatusFound).ServeHTTP,
			"it redirects to something that is not https", 1,
		},
		{
			"redirected to a URL with a password", func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://user:"+secret+"@"+r.Host, http.StatusFound)
			}, "it redirects to a URL with a user", 1,
		},
		{
			"redirected for ever", func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "/again?"+secret, http.StatusFound)
			}, "it redirects more than 3 times", 4,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var bad atomic.Bool
			s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
				if bad.Load() {
					test.serve(w, r)
					return
				}
				serveText("good\n")(w, r)
			})
			var copies feeds.Memory
			before := s.refresh(t, &copies)
			bad.Store(true)
			s.later(time.Hour)
			after := s.refresh(t, &copies)
			want := feeds.State{Copy: before.Copy, Problem: test.want}
			if diff := cmp.Diff(want, after); diff != "" {
				t.Errorf("state (-want +got):\n%s", diff)
			}
			if kept, _, _ := copies.Get(t.Context(), s.url); !cmp.Equal(kept, before.Copy) {
				t.Error("another copy is kept")
			}
			if got := s.asked.Load() - 1; got != test.asked {
				t.Errorf("asked %d times, want %d", got, test.asked)
			}
		})
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func TestAServerThatCannotBeTrustedOrReached(t *testing.T) {
	t.Parallel()
	s := newSite(t, serveText("good\n"))
	plain := httptest.NewServer(serveText("good\n"))
	t.Cleanup(plain.Close)
	silent := newSite(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	gone := httptest.NewTLSServer(http.NotFoundHandler())
	gone.Close()
	for _, test := range []struct {
		name, url, want string
		change          func(*feeds.Options)
	}{
		{"an unknown certificate", s.url, "the server's certificate is not trusted: x509: certificate signed by unknown authority", nil},
		{"no TLS", strings.Replace(plain.URL, "http:", "https:", 1) + "?" + secret, "the request did not work", nil},
		{"nobody there", gone.URL + "?" + secret, "connection refused", nil},
		{"plain HTTP", plain.URL + "?" + secret, "it is no URL that begins with https://", nil},
		{
			"no answer", silent.url, "there was no whole answer within 50ms",
			func(o *feeds.Options) {
				o.Timeout = 50 * time.Millisecond
				o.CAs.AddCert(silent.server.Certificate())
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			f := s.fetcher(t, func(o *feeds.Options) {
				if test.change != nil {
					test.change(o)
				}
			})
			state := f.Refresh(t.Context(), []feeds.Wanted{{URL: test.url, Check: good}}, &feeds.Memory{})[test.url]
			if !strings.Contains(state.Problem, test.want) || strings.Contains(state.Problem, secret) || state.Copy.Data != nil {
				t.Errorf("got %+v, want a problem with %q", state, test.want)
			}
		})
	}
}

func TestOneFailureOfTheServerIsForgiven(t *testing.T) {
	t.Parallel()
	var s *site
	s = newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if s.asked.Load() == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		serveText("good\n")(w, r)
	})
	if state := s.refresh(t, &feeds.Memory{}); state.Problem != "" || !state.New || s.waited.Load() != 1 {
		t.Errorf("got %+v after %d waits", state, s.waited.Load())
	}
}

func TestAFailureIsNotRepeatedAtOnce(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			http.NotFound(w, r)
			return
		}
		serveText("good\n")(w, r)
	})
	broken.Store(true)
	var copies feeds.Memory
	s.refresh(t, &copies)
	s.refresh(t, &copies)
	if got := s.asked.Load(); got != 2 {
		t.Errorf("without a copy: asked %d times, want 2", got)
	}
	broken.Store(false)
	s.refresh(t, &copies)
	broken.Store(true)
	s.later(time.Hour)
	s.refresh(t, &copies)
	s.later(5*time.Minute - time.Second)
	if state := s.refresh(t, &copies); s.asked.Load() != 4 || state.Problem != "the server answered 404 Not Found" {
		t.Errorf("with a copy: asked %d times, want 4; state %+v", s.asked.Load(), state)
	}
	s.later(time.Second)
	broken.Store(false)
	if state := s.refresh(t, &copies); s.asked.Load() != 5 || state.Problem != "" {
		t.Errorf("after five minutes: asked %d times, want 5; state %+v", s.asked.Load(), state)
	}
}

func TestRedirectsAreFollowedAndTellNobodyWhereFrom(t *testing.T) {
	t.Parallel()
	referer := make(chan string, 1)
	s := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		if n := r.URL.Query().Get("n"); n != "3" {
			next := map[string]string{"": "1", "1": "2", "2": "3"}[n]
			http.Redirect(w, r, "/list.txt?n="+next, http.StatusFound)
			return
		}
		referer <- r.Header.Get("Referer")
		serveText("good\n")(w, r)
	})
	if state := s.refresh(t, &feeds.Memory{}); state.Problem != "" {
		t.Fatal(state.Problem)
	}
	if got := <-referer; got != "" {
		t.Errorf("the last server is told of %s", got)
	}
}

func TestAURLThatIsWantedTwiceIsAskedForOnceAndMustSuitBoth(t *testing.T) {
	t.Parallel()
	s := newSite(t, serveText("good\n"))
	refuse := func([]byte) error { return errors.New("too wide") }
	wanted := append(s.wants(), feeds.Wanted{URL: s.url, MaxAge: 2 * time.Hour, Check: good})
	var copies feeds.Memory
	s.Refresh(t.Context(), wanted, &copies)
	s.later(30 * time.Minute)
	if due := s.Due(wanted); len(due) != 2 {
		t.Errorf("%d of 2 are due at a quarter of the smaller age", len(due))
	}
	state := s.Refresh(t.Context(), append(s.wants(), feeds.Wanted{URL: s.url, Check: refuse}), &copies)[s.url]
	if s.asked.Load() != 2 || state.Problem != "what it holds now cannot be used: too wide" {
		t.Errorf("asked %d times, want 2; state %+v", s.asked.Load(), state)
	}
}
