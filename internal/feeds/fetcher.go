package feeds

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Bounds of what a fetcher does.
const (
	DefaultTimeout = 2 * time.Minute // of one request with its answer
	MaxBytes       = 32 << 20        // of one answer

	// A copy is fetched anew at a quarter of its greatest age, within these bounds.
	minInterval = 15 * time.Minute
	maxInterval = 24 * time.Hour
	// retryAfter is how long a URL that failed is left alone. Without any copy it is tried every time.
	retryAfter = 5 * time.Minute

	pause        = time.Second // before the second try of a request
	parallel     = 4
	maxRedirects = 3
)

// Copy is what a URL held.
type Copy struct {
	URL          string
	Data         []byte
	ETag         string    // as the server gave it, or empty
	LastModified string    // as the server gave it, or empty
	Fetched      time.Time // when Data came
	Checked      time.Time // when the server last said that this is what it holds
}

// Copies keep copies. They are used concurrently.
type Copies interface {
	// Get gives the copy of a URL; ok tells whether there is one.
	Get(ctx context.Context, url string) (c Copy, ok bool, err error)
	// Put keeps a copy in the place of the earlier one of its URL.
	Put(ctx context.Context, c Copy) error
}

// Wanted is a URL of which a copy is wanted. One URL may be wanted several times: then the smallest MaxAge counts, and every
// Check must pass.
type Wanted struct {
	URL    string
	MaxAge time.Duration // for how long a copy may be used; 0: for ever
	// Check tells whether contents may be taken. Its error must not hold secrets.
	Check func(data []byte) error
}

// State is what is known of a URL.
type State struct {
	Copy    Copy // without Data if there is none
	Problem string
	// New tells that the server has answered in this refresh, and that Copy is what it holds.
	New bool
}

// Options are what a fetcher needs. Now and Wait are required.
type Options struct {
	Now func() time.Time
	// Wait lets time pass, unless ctx ends first.
	Wait      func(ctx context.Context, d time.Duration) error
	UserAgent string
	CAs       *x509.CertPool // nil: those of the system
	Timeout   time.Duration  // 0: [DefaultTimeout]
	// Eager has every Refresh ask for every URL: for a command, whose user wants to know what is there now.
	Eager bool
}

// Fetcher fetches copies. It is safe for concurrent use.
type Fetcher struct {
	Options

	client *http.Client

	mu    sync.Mutex
	known map[string]attempt // by URL
}

// attempt is what the last look at a URL came to.
type attempt struct {
	copied  bool      // there is a copy that may be used
	checked time.Time // of the copy
	failed  time.Time // when fetching failed; zero if it did not
	why     string
}

// due tells whether a URL is to be fetched now.
func (a *attempt) due(now time.Time, maxAge time.Duration) bool {
	switch {
	case !a.copied:
		return true
	case !a.failed.IsZero() && now.Sub(a.failed) < retryAfter:
		return false
	}
	return now.Sub(a.checked) >= interval(maxAge)
}

// New makes a fetcher.
func New(o Options) *Fetcher {
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	return &Fetcher{
		Options: o,
		known:   map[string]attempt{},
		client: &http.Client{
			Timeout: o.Timeout,
			// Proxies of the environment are asked for, except about this machine itself.
			Transport: &http.Transport{
				Proxy:                  http.ProxyFromEnvironment,
				TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.CAs},
				ForceAttemptHTTP2:      true,
				DisableCompression:     true, // a small answer must not become a large one
				MaxResponseHeaderBytes: 64 << 10,
				IdleConnTimeout:        10 * time.Second,
			},
			CheckRedirect: checkRedirect,
		},
	}
}

// checkRedirect follows a few redirects, and none that leaves https.
func checkRedirect(next *http.Request, before []*http.Request) error {
	switch {
	case next.URL.Scheme != "https":
		return &redirectError{"it redirects to something that is not https"}
	case next.URL.User != nil:
		return &redirectError{"it redirects to a URL with a user"}
	case len(before) > maxRedirects:
		return &redirectError{fmt.Sprintf("it redirects more than %d times", maxRedirects)}
	}
	next.Header.Del("Referer") // the query of the first URL is not the business of another server
	return nil
}

// redirectError is a redirect that is not followed.
type redirectError struct{ text string }

func (e *redirectError) Error() string { return e.text }

// Refresh fetches what is due and gives what is known of each URL. What cannot be fetched or kept is a Problem of its
// state; there is no other error.
func (f *Fetcher) Refresh(ctx context.Context, wanted []Wanted, copies Copies) map[string]State {
	var (
		mu     sync.Mutex
		wg     sync.WaitGroup
		turns  = make(chan struct{}, parallel)
		states = map[string]State{}
	)
	for _, w := range distinct(wanted) {
		wg.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			state := f.refresh(ctx, &w, copies)
			mu.Lock()
			defer mu.Unlock()
			states[w.URL] = state
		})
	}
	wg.Wait()
	return states
}

// distinct joins what is wanted of the same URL.
func distinct(wanted []Wanted) map[string]Wanted {
	all := map[string]Wanted{}
	for _, w := range wanted {
		known, twice := all[w.URL]
		if !twice {
			all[w.URL] = w
			continue
		}
		joined := known
		if w.MaxAge > 0 && (known.MaxAge == 0 || w.MaxAge < known.MaxAge) {
			joined.MaxAge = w.MaxAge
		}
		joined.Check = func(data []byte) error {
			if err := known.Check(data); err != nil {
				return err
			}
			return w.Check(data)
		}
		all[w.URL] = joined
	}
	return all
}

// Due gives those of the wanted URLs that Refresh would fetch now. It does not look at copies, so it is cheap: URLs that
// were never looked at count as due.
func (f *Fetcher) Due(wanted []Wanted) []Wanted {
	all, now := distinct(wanted), f.Now()
	var due []Wanted
	for _, w := range wanted {
		joined := all[w.URL]
		if last := f.last(w.URL); last.due(now, joined.MaxAge) {
			due = append(due, w)
		}
	}
	return due
}

// refresh is Refresh for one URL.
func (f *Fetcher) refresh(ctx context.Context, w *Wanted, copies Copies) State {
	known, ok, err := copies.Get(ctx, w.URL)
	last := f.last(w.URL)
	state := State{Problem: last.why}
	if err != nil { // as if there were none: what is fetched now takes its place
		state.Problem = fmt.Sprintf("its copy cannot be read: %v", err)
	}
	if ok {
		state.Copy = known
	}
	// A copy that is not wanted as it is stays where it is, but the server must not be asked whether it still holds that.
	last.copied, last.checked = ok && w.Check(known.Data) == nil, known.Checked
	if now := f.Now(); f.Eager || last.due(now, w.MaxAge) {
		if !last.copied {
			known = Copy{URL: w.URL}
		}
		fresh, err := f.fetch(ctx, &known, w.Check)
		switch {
		case err == nil:
			last = attempt{copied: true, checked: fresh.Checked}
			state = State{Copy: fresh, New: true}
			if err := copies.Put(ctx, fresh); err != nil {
				state.Problem = fmt.Sprintf("its copy cannot be kept: %v", err)
			}
		case ctx.Err() != nil: // nobody is to blame
			state.Problem = err.Error()
			return state
		default:
			state.Problem = err.Error()
			last.failed, last.why = now, state.Problem
		}
	}
	f.remember(w.URL, last)
	return state
}

// interval is how long a copy is used before it is fetched anew.
func interval(maxAge time.Duration) time.Duration {
	if maxAge <= 0 {
		return maxInterval
	}
	return min(max(maxAge/4, minInterval), maxInterval)
}

func (f *Fetcher) last(url string) attempt {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known[url]
}

func (f *Fetcher) remember(url string, a attempt) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known[url] = a
}

// Close closes connections that are kept for another request.
func (f *Fetcher) Close() { f.client.CloseIdleConnections() }

// checkScheme keeps everything but https from being asked.
func checkScheme(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return errors.New("it is no URL that begins with https://")
	}
	return nil
}
