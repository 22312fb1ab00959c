package ecsemu

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/acs"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// Options say what a [Server] is to emulate. The zero value is an empty account with the default key.
type Options struct {
	// Estate is what the account holds. Nil is an account that holds nothing, sees the public regions, and may
	// create groups in any VPC. It MUST NOT be changed after New.
	Estate *Estate
	// Keys are the access keys that are taken. Nil is one key, DefaultKeyID. Keys that name no account are of the
	// estate's, or of DefaultAccount if there is no estate. Keys of other accounts see accounts of their own, empty at
	// first.
	Keys []AccessKey
	// Clock gives the time that creation times, signatures and quotas go by. Nil is the system's.
	Clock func() time.Time
	// Latency is how long every answer is held back.
	Latency time.Duration
	// QuotaPerSecond is how many calls a second an account may make of one action in one region. 0 is without limit.
	QuotaPerSecond float64
	// QuotaWindow is the length of the windows that calls are counted in; 0 is a second. The cloud has minutes: a
	// window's quota is QuotaPerSecond times its length, and once it is used up, refusals last until the window ends.
	QuotaWindow time.Duration
	// STSNeedsTLS refuses calls of STS over plain HTTP, as the cloud does.
	STSNeedsTLS bool
	// Quotas are further limits, by action or by QuotaDefault or QuotaTogether. They go before QuotaPerSecond.
	Quotas map[string]Quota
	// QuotaCode is what calls over a quota are refused with: Throttling, Throttling.User (if empty) or Throttling.Api.
	QuotaCode string
	// ReadLag is how old what reading calls tell is: a call that changed something is not seen before, not even by its
	// own client. 0 is none.
	ReadLag time.Duration
	// Era is the state of the API that is emulated.
	Era cloud.Era
	// Seed makes the identifiers that the server hands out reproducible.
	Seed uint64
}

func (o *Options) validate() error {
	if o.QuotaPerSecond < 0 || o.QuotaWindow < 0 || o.Latency < 0 {
		return errors.New("latency, quota and quota window must not be negative")
	}
	if o.ReadLag < 0 {
		return errors.New("the read lag must not be negative")
	}
	if o.QuotaCode != "" && !slices.Contains(throttlingCodes(), o.QuotaCode) {
		return fmt.Errorf("the quota code %q is none of %q", o.QuotaCode, throttlingCodes())
	}
	return nil
}

// Server is an emulator. Its methods may be called at any time and from any goroutine.
type Server struct {
	cloud    *cloud.Cloud
	clock    func() time.Time
	latency  time.Duration
	errors   wire.Errors
	nonces   *acs.Nonces
	throttle *throttle
	record   *record
	faults   *faults
	behind   *cloud.World // What reading calls see; nil is the world as it is.
	offset   *atomic.Int64
	identity *identity
	era      cloud.Era
	needsTLS bool          // STS is served over TLS only.
	grace    time.Duration // How long requests under way may take to end once the server is stopped.
}

// New makes a server. It is refused if the estate names a region, list or group twice, if the keys make no sense, or
// if none of them is of the estate's account, so that nobody could see the estate.
func New(options Options) (*Server, error) {
	if err := options.validate(); err != nil {
		return nil, fmt.Errorf("emulator options: %w", err)
	}
	clock := options.Clock
	if clock == nil {
		clock = time.Now //nolint:forbidigo // The one place where a server takes the real clock, by default.
	}
	offset := &atomic.Int64{}
	clock = ahead(clock, offset)
	held, err := cloud.New(cloud.Options{
		Estate: options.Estate, Keys: options.Keys, Clock: clock, Era: options.Era, Seed: options.Seed,
	})
	if err != nil {
		return nil, err
	}
	if err := checkQuotas(&options, held); err != nil {
		return nil, err
	}
	shown, err := newIdentity(held.Regions())
	if err != nil {
		return nil, err
	}
	s := &Server{
		cloud: held, clock: clock, latency: options.Latency, errors: errorsOf(&options.Era), offset: offset,
		nonces: acs.NewNonces(rememberedNonces), throttle: newThrottle(&options),
		record: &record{limit: rememberedRequests, bytes: rememberedBytes}, faults: &faults{}, identity: shown, grace: stopGrace,
		needsTLS: options.STSNeedsTLS, era: options.Era,
	}
	if options.ReadLag > 0 {
		s.behind = held.Follow(options.ReadLag)
	}
	shown.config.GetConfigForClient = s.handshake
	return s, nil
}

// handshake gives what a TLS handshake is to be done with, if not as usual.
func (s *Server) handshake(*tls.ClientHelloInfo) (*tls.Config, error) {
	switch fault := s.faults.strikeHandshake(s.clock()); {
	case fault == nil:
		return nil, nil //nolint:nilnil // That stands for the usual.
	case fault.shown != nil:
		return fault.shown.config, nil
	}
	return nil, errors.New("a fault fails the handshake")
}

// stopGrace is how long calls that are being answered may take to end once the server is stopped.
const stopGrace = 5 * time.Second

// Account gives the account that the first key sees. It is empty if there are no keys at all.
func (s *Server) Account() string { return s.cloud.Home() }

// Rules gives the egress rules that a group of the account of the first key has now, in their order, with defaults
// filled in. It is nil if there is no such group.
func (s *Server) Rules(region, group string) []Rule { return s.cloud.Rules(region, group) }

// CA gives the certificate, in PEM, that a client must trust to talk TLS with this server. Every server has its own.
// It vouches for 127.0.0.1, ::1, localhost, and the names of the cloud's endpoints.
func (s *Server) CA() []byte { return s.identity.caPEM }

// Serve answers on a listener until ctx ends. Then it closes the listener and every connection on which nothing is
// asked, gives calls that are being answered 5 seconds to end, and returns nil. Any other end is an error.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	calls, abandon := context.WithCancel(context.WithoutCancel(ctx))
	defer abandon()
	idle := &unusedConns{conns: map[net.Conn]struct{}{}}
	server := &http.Server{
		Handler: s.routes(),
		// OPTIONS is refused like any other method that the API does not know.
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            10 * time.Second,
		ErrorLog:                     log.New(io.Discard, "", 0), // A client that hangs up in the TLS handshake is no event.
		BaseContext:                  func(net.Listener) context.Context { return calls },
		ConnContext:                  rememberConn,
		ConnState:                    idle.track,
	}
	server.RegisterOnShutdown(idle.close)
	done := make(chan error, 1)
	go func() { done <- server.Serve(&sniffListener{Listener: l, config: s.identity.config}) }()
	select {
	case err := <-done:
		return fmt.Errorf("serving the emulator: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(calls, s.grace)
	defer cancel()
	if server.Shutdown(grace) != nil {
		// What is left has had its time.
		_ = server.Close()
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the emulator: %w", err)
	}
	return nil
}

// routes parts the API from the control endpoint by hand: a mux sends clients of unclean paths elsewhere, in a form that no
// client of the API reads.
func (s *Server) routes() http.Handler {
	control := s.control()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "" || r.URL.Path == "/":
			s.serveAPI(w, r)
		case strings.HasPrefix(r.URL.Path, "/_emulator/"):
			control.ServeHTTP(w, r)
		default:
			q, _ := s.take(r) // Whatever else is wrong with it, there is nothing at this path.
			s.failure(q, wire.Refuse(wire.CodeNoAPI)).send(w)
		}
	})
}

// unusedConns are the connections that were opened and not used yet. http.Server would wait for those to be used.
type unusedConns struct {
	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
}

func (u *unusedConns) track(conn net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(u.conns, conn)
	case u.closed:
		// It was accepted at the last moment.
		_ = conn.Close()
	default:
		u.conns[conn] = struct{}{}
	}
}

func (u *unusedConns) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	for conn := range u.conns {
		// It was never used; there is nothing to lose.
		_ = conn.Close()
	}
}
