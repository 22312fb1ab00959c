// Package web is the HTTP endpoint of the daemon: metrics, health, readiness and reload.
//
//	GET  /metrics    what Options.Metrics serves
//	GET  /-/healthy  200 while the daemon's loop is alive; says nothing about the cloud, because a restart cannot heal that
//	GET  /-/ready    200 once everything is loaded, 503 before that and while the daemon stops
//	POST /-/reload   reads configuration and policies again: 200, or 500 with the reasons
//	GET  /           what there is, as text
//
// New builds a Server, Serve runs it on a listener of the caller, Shutdown ends it. Nothing that is served here is a
// secret and nothing can revoke a rule. Still a web page that somebody has open must not make the daemon reload:
// requests with a foreign origin are refused with 403.
package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// What a client may take: a scraper sends a few hundred bytes at once, and reads what it gets. Only a reload takes
// longer, since it may have to ask the cloud.
const (
	readTimeout    = 5 * time.Second
	writeTimeout   = time.Minute
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 16 << 10
)

// Options are what a Server needs. All fields but ErrorLog are required. The functions are called concurrently.
type Options struct {
	// Metrics serves GET /metrics.
	Metrics http.Handler
	// Alive gives why the process should be restarted; nil if it need not be. It must not block.
	Alive func() error
	// Ready gives why the daemon does not do its work at the moment; nil if it does. It must not block.
	Ready func() error
	// Reload reads configuration and policies again, and gives why that failed. What it gives is shown to the client.
	// The context ends when the client goes away.
	Reload func(ctx context.Context) error
	// ErrorLog takes errors of connections and panics of handlers. Nil discards them.
	ErrorLog *log.Logger
}

func (o *Options) validate() error {
	if o.Metrics == nil || o.Alive == nil || o.Ready == nil || o.Reload == nil {
		return errors.New("the web server needs Metrics, Alive, Ready and Reload")
	}
	return nil
}

// Server answers requests on one listener.
type Server struct {
	http http.Server
}

// New checks the options and builds a Server from them.
func New(o Options) (*Server, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	errorLog := o.ErrorLog
	if errorLog == nil {
		errorLog = log.New(io.Discard, "", 0)
	}
	return &Server{http: http.Server{
		Handler:           handler(&o),
		ReadHeaderTimeout: readTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          errorLog,
	}}, nil
}

// Serve answers requests until Shutdown, and gives nil then. It closes the listener.
func (s *Server) Serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving HTTP on %s: %w", l.Addr(), err)
	}
	return nil
}

// Shutdown takes no more requests and waits for those under way until ctx ends; then it cuts them off, which is no
// error: whoever asked can ask again.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil && ctx.Err() != nil {
		err = s.http.Close()
	}
	if err != nil {
		return fmt.Errorf("ending the HTTP server: %w", err)
	}
	return nil
}
