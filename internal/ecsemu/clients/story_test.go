//go:build clients

package clients_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
)

// params are the parameters of a call. Texts that begin with $ are what a step before has kept.
type params = map[string]any

// story is what one client does, step by step.
type story struct {
	name  string
	steps []step
}

// step is one call, what is to come of it, and what is to be seen afterwards.
type step struct {
	name   string // What must hold.
	as     string // Who calls; see [callers]. Empty: the account itself.
	action string
	params params
	before func(*walk)
	// status and code are those of the refusal; a step without is to succeed.
	status int
	code   string
	// keep names what of the answer later steps use: name=path.
	keep []string
	then []func(*walk)
}

// walk is one client on its way through a story.
type walk struct {
	*testing.T

	client   client
	conn     connection
	scheme   string
	emulator *ecsemu.Running
	ca       string
	ahead    *atomic.Int64 // How many nanoseconds the emulator's clock is ahead of the client's.
	kept     map[string]string
	last     answer
}

// TestStories tells every story with every client that is there, over plain HTTP and over TLS; those that take
// long, once.
func TestStories(t *testing.T) {
	t.Parallel()
	ready := readyClients(t)
	if len(ready) == 0 {
		t.Fatal("no client is ready")
	}
	for _, c := range ready {
		for _, scheme := range []string{"http", "https"} {
			if c.only != "" && c.only != scheme {
				continue
			}
			t.Run(c.title()+" "+scheme, func(t *testing.T) {
				t.Parallel()
				w := begin(t, c, scheme)
				for _, s := range stories() {
					t.Run(s.name, func(t *testing.T) {
						told := *w
						told.T, told.kept = t, map[string]string{}
						for i := range s.steps {
							told.take(&s.steps[i])
						}
					})
				}
			})
		}
	}
}

// begin starts an emulator and a driver of the client's own.
func begin(t *testing.T, c client, scheme string) *walk {
	t.Helper()
	ahead := new(atomic.Int64)
	emulator := ecsemu.Start(t, estate(), func(o *ecsemu.Options) {
		o.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, emulator.Server.CA(), 0o600); err != nil {
		t.Fatal(err)
	}
	return &walk{T: t, client: c, conn: c.connect(t), scheme: scheme, emulator: emulator, ca: ca, ahead: ahead}
}

// take takes a step. Later steps need what earlier ones did, so that the first one that fails ends the story.
func (w *walk) take(s *step) {
	w.Helper()
	if s.before != nil {
		s.before(w)
	}
	w.last = w.call(s.as, s.action, s.params)
	switch {
	case s.code == "" && !w.last.OK:
		w.Fatalf("%s: %s: want success, got %+v", s.name, s.action, w.last)
	case s.code != "":
		w.refused(s)
	}
	for _, keep := range s.keep {
		name, path, _ := strings.Cut(keep, "=")
		if w.kept[name] = text(w.last.Data, path); w.kept[name] == "" {
			w.Fatalf("%s: %s: no %s in %+v", s.name, s.action, path, w.last)
		}
	}
	for _, check := range s.then {
		check(w)
	}
	if w.Failed() {
		w.Fatalf("%s: %s %v: %+v", s.name, s.action, s.params, w.last)
	}
}

// refused holds an answer against the refusal that a step wants.
func (w *walk) refused(s *step) {
	w.Helper()
	code := s.code
	if code == wrongSecret && w.client.wrongSecret != "" {
		code = w.client.wrongSecret
	}
	got := w.last
	if got.OK || got.Code != code || got.Status != s.status && !w.client.noStatus || got.RequestID == "" {
		w.Fatalf("%s: %s: want %d %s and a request ID, got %+v", s.name, s.action, s.status, code, got)
	}
	if s.code == wrongSecret && !strings.Contains(got.Hint, w.client.wrongHint) {
		w.Errorf("%s: got the hint %q, want one with %s", s.name, got.Hint, w.client.wrongHint)
	}
}

// call makes a call of the account's region.
func (w *walk) call(as, action string, business params) answer {
	w.Helper()
	r := &request{
		Action: action, Product: "sts", Parameters: params{}, Scheme: w.scheme, CA: w.ca, Format: w.client.format,
		Mode: w.client.mode, Endpoint: strings.TrimPrefix(w.emulator.URL, "http://"),
	}
	for name, value := range business {
		r.Parameters[name] = w.filled(value)
	}
	if action != "AssumeRole" && action != "GetCallerIdentity" {
		r.Product, r.Parameters["RegionId"] = "ecs", region
	}
	who := callers()[as]
	r.Key, r.Secret, r.Token = w.text(who.key), w.text(who.secret), w.text(who.token)
	a, err := w.conn.call(r)
	if err == nil {
		err = a.complete()
	}
	if err != nil {
		w.Fatalf("%s: %v", action, err)
	}
	return a
}

// filled puts what was kept in the place of its name.
func (w *walk) filled(value any) any {
	w.Helper()
	switch value := value.(type) {
	case string:
		return w.text(value)
	case params:
		fields := params{}
		for name, field := range value {
			fields[name] = w.filled(field)
		}
		return fields
	case []any:
		list := make([]any, 0, len(value))
		for _, element := range value {
			list = append(list, w.filled(element))
		}
		return list
	}
	return value
}

// text replaces every $name by what was kept under it.
func (w *walk) text(s string) string {
	w.Helper()
	words := strings.Split(s, " ")
	for i, word := range words {
		before, name, isKept := strings.Cut(word, "$")
		if !isKept || name == "" {
			continue
		}
		value, found := w.kept[name]
		if !found {
			w.Fatalf("nothing was kept as %q", name)
		}
		words[i] = before + value
	}
	return strings.Join(words, " ")
}

// listing is how the client is asked what there is.
type listing struct {
	action       string
	params       params
	outer, inner string   // The names of the list and of its elements.
	show         []string // Fields, in order.
}

// list gives what the client sees, an element a line, sorted. It pages by the fewest elements that the API allows.
func (w *walk) list(l *listing) []string {
	w.Helper()
	seen := []string{}
	for token, pages := "", 0; ; pages++ {
		page := params{"MaxResults": 10}
		if token != "" {
			page["NextToken"] = token
		}
		maps.Copy(page, l.params)
		a := w.call("", l.action, page)
		if !a.OK || pages > 20 {
			w.Fatalf("%s: page %d: %+v", l.action, pages, a)
		}
		for _, item := range items(a.Data, l.outer, l.inner) {
			var fields []string
			for _, name := range l.show {
				if value := text(item, name); value != "" {
					fields = append(fields, name+"="+value)
				}
			}
			seen = append(seen, strings.Join(fields, " "))
		}
		if token = text(a.Data, "NextToken"); token == "" {
			slices.Sort(seen)
			return seen
		}
	}
}

// sees gives a check that the client lists exactly this.
func sees(l listing, want ...string) func(*walk) {
	return func(w *walk) {
		w.Helper()
		expected := make([]string, 0, len(want))
		for _, line := range want {
			expected = append(expected, w.text(line))
		}
		slices.Sort(expected)
		if diff := cmp.Diff(expected, w.list(&l)); diff != "" {
			w.Errorf("%s %v differs (-want +got):\n%s", l.action, l.params, diff)
		}
	}
}

// keepID gives a check that keeps the ID of the only rule of a group that has these ports.
func keepID(name, group, ports string) func(*walk) {
	return func(w *walk) {
		w.Helper()
		a := w.call("", "DescribeSecurityGroupAttribute", params{"SecurityGroupId": group})
		var found []string
		for _, rule := range items(a.Data, "Permissions", "Permission") {
			if text(rule, "PortRange") == ports {
				found = append(found, text(rule, "SecurityGroupRuleId"))
			}
		}
		if len(found) != 1 || found[0] == "" {
			w.Fatalf("rules of %s with the ports %s: want one with an ID, got %q in %+v", w.text(group), ports, found, a)
		}
		w.kept[name] = found[0]
	}
}

// has gives a check that the last answer has a field of a value.
func has(path, want string) func(*walk) {
	return func(w *walk) {
		w.Helper()
		if got := text(w.last.Data, path); got != w.text(want) {
			w.Errorf("%s: got %q, want %q", path, got, w.text(want))
		}
	}
}

// fault makes the emulator misbehave once.
func fault(f ecsemu.Fault) func(*walk) {
	return func(w *walk) {
		w.Helper()
		f.Times = 1
		if err := w.emulator.Server.SetFaults([]ecsemu.Fault{f}); err != nil {
			w.Fatal(fmt.Errorf("setting a fault: %w", err))
		}
	}
}

// clock puts the emulator's clock ahead of the client's.
func clock(ahead time.Duration) func(*walk) {
	return func(w *walk) { w.ahead.Store(int64(ahead)) }
}
