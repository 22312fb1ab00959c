package ecsemu

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
)

// placed is an error of something that was sent, and where in it: a JSON pointer, or the empty text for the whole.
type placed struct {
	at  string
	err error
}

func (p *placed) Error() string { return p.err.Error() }
func (p *placed) Unwrap() error { return p.err }

// in places an error at a field.
func in(field, format string, args ...any) error {
	return &placed{at: "/" + field, err: fmt.Errorf(format, args...)}
}

// inElement places an error, and says so before it, in an element of a list. The format has one verb for its number.
func inElement(i int, err error, format string) error {
	at := ""
	if inner, ok := errors.AsType[*placed](err); ok {
		at = inner.at
	}
	return &placed{at: "/" + strconv.Itoa(i) + at, err: fmt.Errorf(format+": %w", i+1, err)}
}

// given are the fields that are set and belong to some kinds only, as they are called in JSON.
func (f *Fault) given() []string {
	var names []string
	for _, field := range []struct {
		name string
		set  bool
	}{
		{"status", f.Status != 0},
		{"code", f.Code != ""},
		{"message", f.Message != ""},
		{"fields", len(f.Fields) > 0},
		{"how", f.How != ""},
		{"body", f.Body != ""},
		{"contentType", f.ContentType != ""},
		{"location", f.Location != ""},
		{"interval", f.Interval != 0},
		{"size", f.Size != 0},
		{"gzip", f.Gzip},
		{"count", f.Count != 0},
		{"params", len(f.Params) > 0},
		{"lag", f.Lag != 0},
		{"edit", f.Edit != ""},
		{"rule", f.Rule != ""},
	} {
		if field.set {
			names = append(names, field.name)
		}
	}
	return names
}

func (f *Fault) validate(known *cloud.Cloud, table kindRows) error {
	row := table.row(f.Kind)
	if row.kind == "" {
		return in("kind", "the kind %q is unknown; known kinds: %q", f.Kind, table.names())
	}
	given := f.given()
	for _, name := range given {
		if !slices.Contains(row.takes, name) {
			return in(name, "the kind %q takes no %s", f.Kind, name)
		}
	}
	if row.needs != "" && !slices.Contains(given, row.needs) {
		return in(row.needs, "the kind %q needs the field %s", f.Kind, row.needs)
	}
	if err := f.validateWhen(row, known); err != nil {
		return err
	}
	if err := f.validateWhat(known); err != nil {
		return err
	}
	return f.validateEdit()
}

// validateWhen refuses what would select no request, or none that the kind makes sense for.
func (f *Fault) validateWhen(row kindRow, known *cloud.Cloud) error {
	if f.Skip < 0 || f.Times < 0 || f.AfterCalls < 0 || f.Latency < 0 {
		return fmt.Errorf("skip (%d), times (%d), afterCalls (%d) and latency (%s) must not be negative", f.Skip, f.Times,
			f.AfterCalls, f.Latency)
	}
	if f.Probability < 0 || f.Probability > 1 {
		return in("probability", "the probability %g is not from 0 to 1", f.Probability)
	}
	if !f.Until.IsZero() && !f.From.Before(f.Until) {
		return in("until", "the fault would end before it begins")
	}
	if f.After != "" && f.AfterCalls == 0 {
		return in("after", "after goes with afterCalls only, the number of calls")
	}
	if row.handshake && (f.Action+f.Region+f.Group != "" || f.AfterCalls > 0 || f.Latency > 0) {
		return fmt.Errorf("the kind %q takes no action, region, group, after or latency: there is no request yet", f.Kind)
	}
	if f.Kind == FaultLatency && f.Latency == 0 {
		return in("latency", "the kind %q needs a latency", f.Kind)
	}
	for field, action := range map[string]string{"action": f.Action, "after": f.After} {
		if action != "" && known.Named(action) == nil {
			return in(field, "the action %q is unknown; known actions: %q", action, known.ActionNames())
		}
	}
	if f.Action != "" && row.suits != nil && !row.suits(known.Named(f.Action)) {
		return in("action", "the kind %q does not go with the action %q", f.Kind, f.Action)
	}
	return nil
}

// validateWhat refuses values that no answer could have.
func (f *Fault) validateWhat(known *cloud.Cloud) error {
	lowest := 200
	if f.Kind == FaultError || f.Kind == FaultErrorAfter {
		lowest = 400
	}
	if f.Status != 0 && (f.Status < lowest || f.Status > 599) {
		return in("status", "the status %d of the kind %q is not from %d to 599", f.Status, f.Kind, lowest)
	}
	if f.Kind == FaultThrottle && f.Code != "" && !slices.Contains(throttlingCodes(), f.Code) {
		return in("code", "the code %q is none of %q", f.Code, throttlingCodes())
	}
	endings := []Ending{EndClose, EndReset, EndHang}
	if f.How != "" && !slices.Contains(endings, f.How) {
		return in("how", "the ending %q is unknown; known endings: %q", f.How, endings)
	}
	if f.Interval < 0 || f.Size < 0 || f.Count < 0 || f.Lag < 0 {
		return fmt.Errorf("interval (%s), size (%d), count (%d) and lag (%s) must not be negative", f.Interval, f.Size,
			f.Count, f.Lag)
	}
	if strings.ContainsAny(f.Location+f.ContentType, "\r\n") {
		return errors.New("a header must not hold a line break")
	}
	if f.Kind == FaultCallBefore || f.Kind == FaultCallAfter {
		if name := f.Params["Action"]; known.Named(name) == nil {
			return in("params/Action", "the action %q is unknown; known actions: %q", name, known.ActionNames())
		}
	}
	return nil
}

// validateEdit refuses an edit that would never happen.
func (f *Fault) validateEdit() error {
	if f.Edit != "" && !slices.Contains(cloud.Edits(), f.Edit) {
		return in("edit", "the edit %q is unknown; known edits: %q", f.Edit, cloud.Edits())
	}
	return nil
}
