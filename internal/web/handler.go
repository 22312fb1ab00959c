package web

import (
	"io"
	"net/http"
)

const index = `egress-janitor

GET  /metrics    metrics for Prometheus
GET  /-/healthy  whether the process is alive
GET  /-/ready    whether it does its work
POST /-/reload   read configuration and policies again
`

func handler(o *Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", o.Metrics)
	mux.HandleFunc("GET /-/healthy", probe(o.Alive))
	mux.HandleFunc("GET /-/ready", probe(o.Ready))
	mux.HandleFunc("POST /-/reload", func(w http.ResponseWriter, r *http.Request) {
		if err := o.Reload(r.Context()); err != nil {
			answer(w, http.StatusInternalServerError, "not reloaded: "+err.Error()+"\n")
			return
		}
		answer(w, http.StatusOK, "reloaded\n")
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, index)
	})
	return http.NewCrossOriginProtection().Handler(mux)
}

func probe(check func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if err := check(); err != nil {
			answer(w, http.StatusServiceUnavailable, err.Error()+"\n")
			return
		}
		answer(w, http.StatusOK, "ok\n")
	}
}

// answer writes text that no browser may take for anything else, and no proxy may keep.
func answer(w http.ResponseWriter, status int, text string) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// A client that is gone by now needs no answer.
	_, _ = io.WriteString(w, text)
}
