package ecsemu

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

// faultJSON is a fault as the control API reads and shows it. Durations are as "50ms", times as in RFC 3339.
type faultJSON struct {
	Kind        FaultKind         `json:"kind"`
	Action      string            `json:"action,omitempty"`
	Region      string            `json:"region,omitempty"`
	Group       string            `json:"group,omitempty"`
	After       string            `json:"after,omitempty"`
	AfterCalls  int               `json:"afterCalls,omitempty"`
	From        time.Time         `json:"from,omitzero"`
	Until       time.Time         `json:"until,omitzero"`
	Skip        int               `json:"skip,omitempty"`
	Times       int               `json:"times,omitempty"`
	Probability float64           `json:"probability,omitempty"`
	Seed        uint64            `json:"seed,omitempty"`
	Latency     duration          `json:"latency,omitempty"`
	Status      int               `json:"status,omitempty"`
	Code        string            `json:"code,omitempty"`
	Message     string            `json:"message,omitempty"`
	Fields      map[string]any    `json:"fields,omitempty"`
	How         Ending            `json:"how,omitempty"`
	Body        string            `json:"body,omitempty"`
	ContentType string            `json:"contentType,omitempty"`
	Location    string            `json:"location,omitempty"`
	Interval    duration          `json:"interval,omitempty"`
	Size        int64             `json:"size,omitempty"`
	Gzip        bool              `json:"gzip,omitempty"`
	Count       int               `json:"count,omitempty"`
	Params      map[string]string `json:"params,omitempty"`
	Lag         duration          `json:"lag,omitempty"`
	Edit        cloud.Edit        `json:"edit,omitempty"`
	Rule        string            `json:"rule,omitempty"`
	Hits        int               `json:"hits"`             // Shown; of no meaning in what is sent.
	Failed      string            `json:"failed,omitempty"` // Likewise.
}

// duration is the text of one; empty if it is 0.
type duration string

func textOf(d time.Duration) duration {
	if d == 0 {
		return ""
	}
	return duration(d.String())
}

func (d duration) read(field string, to *time.Duration) error {
	if d == "" {
		return nil
	}
	var err error
	if *to, err = time.ParseDuration(string(d)); err != nil {
		return in(field, "reading the %s: %w", field, err)
	}
	return nil
}

func (j *faultJSON) fault() (Fault, error) {
	f := Fault{
		Kind: j.Kind, Action: j.Action, Region: j.Region, Group: j.Group, After: j.After, AfterCalls: j.AfterCalls,
		From: j.From, Until: j.Until, Skip: j.Skip, Times: j.Times, Probability: j.Probability, Seed: j.Seed,
		Status: j.Status, Code: j.Code, Message: j.Message, Fields: j.Fields, How: j.How, Body: j.Body,
		ContentType: j.ContentType, Location: j.Location, Size: j.Size, Gzip: j.Gzip, Count: j.Count, Params: j.Params,
		Edit: j.Edit, Rule: j.Rule,
	}
	err := errors.Join(j.Latency.read("latency", &f.Latency), j.Interval.read("interval", &f.Interval),
		j.Lag.read("lag", &f.Lag))
	return f, err
}

func shownFault(f *FaultReport) faultJSON {
	return faultJSON{
		Kind: f.Kind, Action: f.Action, Region: f.Region, Group: f.Group, After: f.After, AfterCalls: f.AfterCalls,
		From: f.From, Until: f.Until, Skip: f.Skip, Times: f.Times, Probability: f.Probability, Seed: f.Seed,
		Latency: textOf(f.Latency), Status: f.Status, Code: f.Code, Message: f.Message, Fields: f.Fields, How: f.How,
		Body: f.Body, ContentType: f.ContentType, Location: f.Location, Interval: textOf(f.Interval), Size: f.Size,
		Gzip: f.Gzip, Count: f.Count, Params: f.Params, Lag: textOf(f.Lag), Edit: f.Edit, Rule: f.Rule, Hits: f.Hits,
		Failed: f.Failed,
	}
}

// decodeFaults reads a JSON array of faults, strictly: a misspelt field would be a test that tests nothing.
func decodeFaults(data []byte) ([]Fault, error) {
	var raw []json.RawMessage
	if err := decodeStrictly(data, &raw); err != nil {
		return nil, fmt.Errorf("reading a JSON array of faults: %w", err)
	}
	if raw == nil {
		return nil, errors.New("reading a JSON array of faults: found null; an empty array clears the faults")
	}
	faults := make([]Fault, 0, len(raw))
	for i := range raw {
		var read faultJSON
		if err := decodeStrictly(raw[i], &read); err != nil {
			return nil, inElement(i, err, "fault %d")
		}
		fault, err := read.fault()
		if err != nil {
			return nil, inElement(i, err, "fault %d")
		}
		faults = append(faults, fault)
	}
	return faults, nil
}

// decodeStrictly reads one JSON value, and says where it is not what it should be.
func decodeStrictly(data []byte, to any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(to); err != nil {
		return placeOf(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after it")
	}
	return nil
}

// placeOf adds the place to an error of reading JSON, as far as it is known.
func placeOf(err error) error {
	if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && mistyped.Field != "" {
		return &placed{at: "/" + strings.ReplaceAll(mistyped.Field, ".", "/"), err: err}
	}
	if _, name, found := strings.Cut(err.Error(), "unknown field "); found {
		return &placed{at: "/" + strings.Trim(name, `"`), err: err}
	}
	if broken, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("at byte %d: %w", broken.Offset, err)
	}
	return err
}

func (s *Server) takeFaults(w http.ResponseWriter, r *http.Request) (any, error) {
	data, err := controlBody(w, r, maxControlBody)
	if err != nil {
		return nil, err
	}
	list, err := decodeFaults(data)
	if err != nil {
		return nil, err
	}
	if err := s.SetFaults(list); err != nil {
		return nil, err
	}
	return s.showFaults(w, r)
}

func (s *Server) endFaults(w http.ResponseWriter, _ *http.Request) (any, error) {
	w.WriteHeader(http.StatusNoContent)
	return written{}, s.SetFaults(nil)
}

func (s *Server) showFaults(http.ResponseWriter, *http.Request) (any, error) {
	reports := s.Faults()
	list := make([]faultJSON, 0, len(reports))
	for i := range reports {
		list = append(list, shownFault(&reports[i]))
	}
	return list, nil
}
