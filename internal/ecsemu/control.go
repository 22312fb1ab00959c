package ecsemu

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// maxControlBody bounds what is taken in at once.
const maxControlBody = 1 << 20

// faultJSON is a fault as the control endpoint reads and shows it.
type faultJSON struct {
	Kind        FaultKind  `json:"kind"`
	Action      string     `json:"action,omitempty"`
	Region      string     `json:"region,omitempty"`
	Group       string     `json:"group,omitempty"`
	Skip        int        `json:"skip,omitempty"`
	Times       int        `json:"times,omitempty"`
	Probability float64    `json:"probability,omitempty"`
	Seed        uint64     `json:"seed,omitempty"`
	Latency     string     `json:"latency,omitempty"` // As "50ms".
	Status      int        `json:"status,omitempty"`
	Code        string     `json:"code,omitempty"`
	Message     string     `json:"message,omitempty"`
	Edit        cloud.Edit `json:"edit,omitempty"`
	Rule        string     `json:"rule,omitempty"`
	Hits        int        `json:"hits"` // Shown; of no meaning in what is sent.
}

func (j *faultJSON) fault() (Fault, error) {
	f := Fault{
		Kind: j.Kind, Action: j.Action, Region: j.Region, Group: j.Group, Skip: j.Skip, Times: j.Times,
		Probability: j.Probability, Seed: j.Seed, Status: j.Status, Code: j.Code, Message: j.Message, Edit: j.Edit,
		Rule: j.Rule,
	}
	if j.Latency != "" {
		latency, err := time.ParseDuration(j.Latency)
		if err != nil {
			return f, fmt.Errorf("reading the latency: %w", err)
		}
		f.Latency = latency
	}
	return f, nil
}

// decodeFaults reads a JSON array of faults, strictly: a misspelt field would be a test that tests nothing.
func decodeFaults(data []byte) ([]Fault, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var list []faultJSON
	if err := decoder.Decode(&list); err != nil {
		return nil, fmt.Errorf("reading a JSON array of faults: %w", err)
	}
	if list == nil {
		return nil, errors.New("reading a JSON array of faults: found null; an empty array clears the faults")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("reading a JSON array of faults: there is something after it")
	}
	faults := make([]Fault, 0, len(list))
	for i := range list {
		fault, err := list[i].fault()
		if err != nil {
			return nil, fmt.Errorf("fault %d: %w", i+1, err)
		}
		faults = append(faults, fault)
	}
	return faults, nil
}

func (s *Server) takeFaults(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControlBody))
	if err == nil {
		var list []Fault
		if list, err = decodeFaults(data); err == nil {
			err = s.SetFaults(list)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.showFaults(w, r)
}

func (s *Server) showFaults(w http.ResponseWriter, _ *http.Request) {
	reports := s.Faults()
	list := make([]faultJSON, 0, len(reports))
	for _, f := range reports {
		shown := faultJSON{
			Kind: f.Kind, Action: f.Action, Region: f.Region, Group: f.Group, Skip: f.Skip, Times: f.Times,
			Probability: f.Probability, Seed: f.Seed, Status: f.Status, Code: f.Code, Message: f.Message, Edit: f.Edit,
			Rule: f.Rule, Hits: f.Hits,
		}
		if f.Latency != 0 {
			shown.Latency = f.Latency.String()
		}
		list = append(list, shown)
	}
	show(w, list)
}

func (s *Server) showRequests(w http.ResponseWriter, _ *http.Request) { show(w, s.Requests()) }

func show(w http.ResponseWriter, value any) {
	body, err := wire.FormatJSON.Encode("", value, 1024)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	reply{status: http.StatusOK, header: map[string]string{"Content-Type": "application/json"}, body: body}.send(w)
}
