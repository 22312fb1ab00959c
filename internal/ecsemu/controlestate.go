package ecsemu

import (
	"bytes"
	"net/http"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
)

// maxEstateBody bounds an estate that is taken in.
const maxEstateBody = 64 << 20

// SetEstate has the server hold another estate instead, as if it had just been made. Its own keys stay taken, sessions
// and ClientTokens end, and quotas are whole again. The record and the faults stay. Its certificate still vouches for
// the regions that it began with. If the estate makes no sense, nothing changes.
func (s *Server) SetEstate(estate *Estate) error {
	if err := s.cloud.Replace(estate); err != nil {
		return err
	}
	s.throttle.forget()
	return nil
}

func (s *Server) showEstate(w http.ResponseWriter, r *http.Request) (any, error) {
	query := r.URL.Query()
	for name := range query {
		if name != "secrets" {
			return nil, in(name, "the parameter %q is unknown; known parameter: secrets", name)
		}
	}
	secrets := query.Get("secrets")
	if secrets != "" && secrets != "true" && secrets != "false" {
		return nil, in("secrets", "the parameter secrets is %q, expected true or false", secrets)
	}
	var body bytes.Buffer
	if err := estates.Export(&body, s.cloud.Estate(secrets == "true")); err != nil {
		return nil, err
	}
	reply{status: http.StatusOK, header: map[string]string{"Content-Type": "application/yaml"}, body: body.Bytes()}.send(w)
	return written{}, nil
}

func (s *Server) replaceEstate(w http.ResponseWriter, r *http.Request) (any, error) {
	data, err := controlBody(w, r, maxEstateBody)
	if err != nil {
		return nil, err
	}
	estate, err := estates.Load("estate", data)
	if err != nil {
		return nil, err // It says at which line and column.
	}
	if err := s.SetEstate(estate); err != nil {
		return nil, err
	}
	return s.showIndex(w, r)
}
