package ecsemu

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// maxControlBody bounds what is taken in at once.
const maxControlBody = 1 << 20

// openAPI says of the control API what controlRoutes does; a test holds the two together.
//
//go:embed openapi.json
var openAPI []byte

const controlPath = "/_emulator/"

// route is one operation of the control API. What it gives is shown as JSON, unless it is written already.
type route struct {
	method, path string // The path is below controlPath.
	serve        func(w http.ResponseWriter, r *http.Request) (shown any, err error)
}

// written is what a route gives that has answered by itself.
type written struct{}

func (s *Server) controlRoutes() []route {
	return []route{
		{http.MethodGet, "{$}", s.showIndex},
		{http.MethodGet, "openapi.json", s.showOpenAPI},
		{http.MethodGet, "faults", s.showFaults},
		{http.MethodPost, "faults", s.takeFaults},
		{http.MethodDelete, "faults", s.endFaults},
		{http.MethodGet, "requests", s.showRequests},
		{http.MethodDelete, "requests", s.forgetRequests},
		{http.MethodGet, "clock", s.showClock},
		{http.MethodPut, "clock", s.setClock},
		{http.MethodGet, "estate", s.showEstate},
		{http.MethodPut, "estate", s.replaceEstate},
	}
}

// control serves the control API. It asks for no key, so that web pages are kept from it: what comes from a browser's
// page of elsewhere has an Origin, and what was led here by a name of somebody else has that name as its Host.
func (s *Server) control() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.controlRoutes() {
		mux.HandleFunc(r.method+" "+controlPath+r.path, func(w http.ResponseWriter, q *http.Request) {
			shown, err := r.serve(w, q)
			if err != nil {
				showError(w, http.StatusBadRequest, err)
				return
			}
			if shown != (written{}) {
				show(w, http.StatusOK, shown)
			}
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("Origin") != "" {
			showError(w, http.StatusForbidden, errors.New("web pages may not use the control API: found a header Origin"))
			return
		}
		if !isOwnName(q.Host) {
			showError(w, http.StatusForbidden, fmt.Errorf("the host %q is neither an address nor a local name", q.Host))
			return
		}
		mux.ServeHTTP(w, q)
	})
}

// isOwnName tells whether a Host may be that of an emulator: an address, or a name that nobody can have a page under.
func isOwnName(host string) bool {
	name := host
	if bare, _, err := net.SplitHostPort(host); err == nil {
		name = bare
	}
	name = strings.Trim(name, "[]")
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	for _, local := range []string{".localhost", ".local", ".internal", ".aliyuncs.com"} {
		if strings.HasSuffix(name, local) {
			return true
		}
	}
	return !strings.Contains(name, ".")
}

// problem is the body of every error of the control API.
type problem struct {
	At      string `json:"at"` // A JSON pointer into what was sent; empty for the whole of it.
	Message string `json:"message"`
}

func showError(w http.ResponseWriter, status int, err error) {
	shown := problem{Message: err.Error()}
	if where, ok := errors.AsType[*placed](err); ok {
		shown.At = where.at
	}
	show(w, status, shown)
}

func show(w http.ResponseWriter, status int, value any) {
	body, err := wire.FormatJSON.Encode("", value, 1024)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"at":"","message":"the answer cannot be written"}`)
	}
	reply{status: status, header: map[string]string{"Content-Type": "application/json"}, body: body}.send(w)
}

// indexJSON leads to the rest.
type indexJSON struct {
	Account string            `json:"account"`
	Links   map[string]string `json:"links"`
}

func (s *Server) showIndex(http.ResponseWriter, *http.Request) (any, error) {
	links := map[string]string{}
	for _, r := range s.controlRoutes() {
		if r.path != "{$}" {
			name, _, _ := strings.Cut(r.path, ".")
			links[name] = controlPath + r.path
		}
	}
	return indexJSON{Account: s.Account(), Links: links}, nil
}

func (s *Server) showOpenAPI(http.ResponseWriter, *http.Request) (any, error) {
	return json.RawMessage(openAPI), nil
}

func (s *Server) showRequests(w http.ResponseWriter, r *http.Request) (any, error) {
	query := r.URL.Query()
	for name := range query {
		if name != "action" && name != "since" && name != "limit" {
			return nil, in(name, "the parameter %q is unknown; known parameters: action, since, limit", name)
		}
	}
	since, err := count(query, "since")
	if err != nil {
		return nil, err
	}
	limit, err := count(query, "limit")
	if err != nil {
		return nil, err
	}
	requests := s.record.picked(since, query.Get("action"), limit)
	if !strings.Contains(r.Header.Get("Accept"), "application/x-ndjson") {
		return requests, nil
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	for i := range requests {
		line, err := wire.FormatJSON.Encode("", &requests[i], 1024)
		if err != nil {
			return nil, err
		}
		_, _ = w.Write(append(line, '\n')) // The client may be gone; there is nobody else to tell.
	}
	return written{}, nil
}

// count reads a number from 0 on; 0 if it is absent.
func count(query url.Values, name string) (int, error) {
	text := query.Get(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, in(name, "the parameter %s is %q, expected a number from 0", name, text)
	}
	return n, nil
}

func (s *Server) forgetRequests(w http.ResponseWriter, _ *http.Request) (any, error) {
	s.record.clear()
	w.WriteHeader(http.StatusNoContent)
	return written{}, nil
}

// clockJSON is the server's clock. Offset is as "1h30m"; Now is shown, and of no meaning in what is sent.
type clockJSON struct {
	Now    time.Time `json:"now"`
	Offset string    `json:"offset"`
}

func (s *Server) showClock(http.ResponseWriter, *http.Request) (any, error) {
	return clockJSON{Now: s.clock().UTC(), Offset: time.Duration(s.offset.Load()).String()}, nil
}

func (s *Server) setClock(w http.ResponseWriter, r *http.Request) (any, error) {
	data, err := controlBody(w, r, maxControlBody)
	if err != nil {
		return nil, err
	}
	var sent clockJSON
	if err := decodeStrictly(data, &sent); err != nil {
		return nil, err
	}
	offset, err := time.ParseDuration(sent.Offset)
	if err != nil {
		return nil, in("offset", "reading the offset: %w", err)
	}
	s.SetClockOffset(offset)
	return s.showClock(w, r)
}

func controlBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	return data, nil
}
