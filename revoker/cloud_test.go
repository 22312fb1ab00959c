package revoker_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

var ref = sg.GroupRef{Account: "main", Region: "cn-a", Group: "sg-1"}

// clock is a time that passes only while somebody waits, or works.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{now: time.Date(2026, 5, 4, 10, 0, 20, 0, time.UTC)} }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) Wait(ctx context.Context, d time.Duration) error {
	c.now = c.now.Add(d)
	return ctx.Err()
}

// fault is what goes wrong with one request.
type fault string

const (
	lostBefore fault = "answer lost before the effect"
	lostAfter  fault = "answer lost after the effect"
	lostLate   fault = "answer lost, effect a minute and a half later"
	hollow     fault = "success without effect"
	lagging    fault = "success, listed for ten seconds more"
	throttled  fault = "throttled"
	denied     fault = "denied"
	invalid    fault = "invalid"
	protected  fault = "protected"
	mismatch   fault = "token mismatch"
	inProgress fault = "in progress"
	unsent     fault = "unsent"
	peerGone   fault = "peer gone"
	goneLie    fault = "says gone, but is not"
	groupLie   fault = "says group gone, but is not"
)

// cloud is one security group. It keeps watch over what every request must hold to.
type cloud struct {
	clock    *clock
	journal  *journal
	rules    []sg.Rule
	hidden   map[string]time.Time // removed rules that are listed until then, by key
	ghosts   []sg.Rule
	late     []func()
	lateAt   []time.Time
	gone     bool
	pages    int // of a listing; more than one hides a rule in some listings, never in two in a row
	skips    int // one in so many
	listings int

	faults   []fault  // of the next requests; none left: all go well
	poison   []string // IDs of rules of which every call is invalid
	onSend   func()
	withdraw map[string]string

	sends     []revoker.Call
	removed   []string // keys of the rules that requests removed
	tokens    map[string]string
	first     map[string]time.Time
	checkedAt time.Time
	fresh     map[string]bool // tokens that were not sent since the latest check
	ahead     time.Duration   // of the clock that says when a check ended
	checks    int
	lists     int
	nextRule  int
	faulty    []string // what requests did that they must not
	listErr   error
	checkErr  error
}

func newCloud(rules ...sg.Rule) *cloud {
	c := &cloud{
		clock: newClock(), rules: rules, pages: 1, skips: 3, hidden: map[string]time.Time{}, withdraw: map[string]string{},
		tokens: map[string]string{}, first: map[string]time.Time{}, fresh: map[string]bool{},
	}
	c.journal = newJournal(c)
	return c
}

func (c *cloud) pass(d time.Duration) {
	c.clock.now = c.clock.now.Add(d)
	for i := 0; i < len(c.late); i++ {
		if !c.lateAt[i].After(c.clock.now) {
			c.late[i]()
			c.late, c.lateAt = slices.Delete(c.late, i, i+1), slices.Delete(c.lateAt, i, i+1)
			i--
		}
	}
}

func (c *cloud) has(key string) bool {
	return slices.ContainsFunc(c.rules, func(r sg.Rule) bool { return r.Key() == key })
}

func (c *cloud) remove(key string) {
	c.rules = slices.DeleteFunc(c.rules, func(r sg.Rule) bool { return r.Key() == key })
}

// revoke is the effect of a request.
func (c *cloud) revoke(keys []string) {
	for _, key := range keys {
		if c.has(key) {
			c.removed = append(c.removed, key)
			c.remove(key)
		}
	}
}

// linger has rules listed for ten seconds more, whatever becomes of them.
func (c *cloud) linger(keys []string) {
	for _, r := range c.rules {
		if slices.Contains(keys, r.Key()) {
			c.ghosts, c.hidden[r.Key()] = append(c.ghosts, r), c.clock.now.Add(10*time.Second)
		}
	}
}

func (c *cloud) listing() *revoker.Listing {
	c.pass(100 * time.Millisecond)
	l := &revoker.Listing{At: c.clock.now, Gone: c.gone, Pages: c.pages}
	if c.gone {
		return l
	}
	l.Rules = slices.Clone(c.rules)
	for _, ghost := range c.ghosts {
		if c.clock.now.Before(c.hidden[ghost.Key()]) && !c.has(ghost.Key()) {
			l.Rules = append(l.Rules, ghost)
		}
	}
	if c.listings++; c.pages > 1 && c.listings%c.skips == 1 && len(l.Rules) > 0 { // a rule slips between the pages
		l.Rules = l.Rules[1:]
	}
	return l
}

func (c *cloud) List(ctx context.Context, r sg.GroupRef) (*revoker.Listing, error) {
	if err := cmpErr(ctx.Err(), c.listErr); err != nil {
		return nil, err
	}
	if r != ref {
		c.fault("listing of %v", r)
	}
	c.lists++
	return c.listing(), nil
}

func (c *cloud) Check(ctx context.Context, w *revoker.Work) (*revoker.Check, error) {
	if err := cmpErr(ctx.Err(), c.checkErr); err != nil {
		return nil, err
	}
	c.checks++
	check := &revoker.Check{Listing: *c.listing(), Withdrawn: maps.Clone(c.withdraw)}
	c.pass(time.Second)
	check.ReadAt = c.clock.now.Add(c.ahead)
	c.checkedAt, c.fresh = c.clock.now, map[string]bool{}
	return check, nil
}

func cmpErr(errs ...error) error { return errors.Join(errs...) }

func (c *cloud) fault(format string, args ...any) {
	c.faulty = append(c.faulty, fmt.Sprintf(format, args...))
}

// watch holds a request against the rules of the protocol.
func (c *cloud) watch(call *revoker.Call) {
	recorded, ok := c.journal.calls[call.ID]
	now, token := c.clock.now, call.ClientToken()
	asText := fmt.Sprint(call.Action, call.Parameters)
	switch {
	case !ok || recorded.State != revoker.CallRecorded || fmt.Sprint(recorded.Action, recorded.Parameters) != asText:
		c.fault("call %s was not recorded as it is sent", call.ID)
	case call.Action == revoker.ActionRevoke && now.Sub(c.checkedAt) > revoker.SendWithin:
		c.fault("call %s was sent %s after the check", call.ID, now.Sub(c.checkedAt))
	case now.After(call.Deadline):
		c.fault("call %s was sent after its deadline", call.ID)
	case c.fresh[token] && call.Action == revoker.ActionRevoke:
		c.fault("call %s was sent again without a check", call.ID)
	case !c.first[token].IsZero() && now.Sub(c.first[token]) > revoker.RepeatWithin+revoker.SendWithin:
		c.fault("call %s: its token is %s old", call.ID, now.Sub(c.first[token]))
	case c.tokens[token] != "" && c.tokens[token] != asText:
		c.fault("call %s has the token of another", call.ID)
	}
	c.fresh[token] = true
	if c.first[token].IsZero() {
		c.first[token], c.tokens[token] = now, asText
	}
}

func (c *cloud) Send(ctx context.Context, call *revoker.Call) revoker.Answer {
	if ctx.Err() != nil {
		return c.answer(sg.ClassUnsent, "")
	}
	f := fault("")
	if len(c.faults) > 0 {
		f, c.faults = c.faults[0], c.faults[1:]
	}
	if f == unsent {
		return c.answer(sg.ClassUnsent, "")
	}
	c.watch(call)
	c.sends = append(c.sends, *call)
	c.pass(50 * time.Millisecond)
	if c.onSend != nil {
		c.onSend()
	}
	keys, all := c.targets(call)
	effect := func() { c.revoke(keys) }
	if call.Action == revoker.ActionAuthorize {
		effect, all = func() { c.create(call) }, true
	}
	return c.do(f, keys, all, effect)
}

// do answers a request, with its effect or without.
func (c *cloud) do(f fault, keys []string, all bool, effect func()) revoker.Answer {
	refusals := map[fault]sg.Class{
		throttled: sg.ClassThrottled, denied: sg.ClassDenied, invalid: sg.ClassInvalid, protected: sg.ClassProtected,
		mismatch: sg.ClassIdempotency, inProgress: sg.ClassInProgress, peerGone: sg.ClassPeerGone, goneLie: sg.ClassGone,
		groupLie: sg.ClassGroupGone,
	}
	switch {
	case refusals[f] != "":
		return c.answer(refusals[f], "Code."+string(refusals[f]))
	case f == hollow:
		return c.answer(sg.ClassOK, "")
	case f == lostBefore:
		return c.answer(sg.ClassTransient, "")
	case c.gone:
		return c.answer(sg.ClassGroupGone, "InvalidSecurityGroupId.NotFound")
	case slices.ContainsFunc(keys, func(key string) bool { return slices.Contains(c.poison, key) }):
		return c.answer(sg.ClassInvalid, "InvalidParameter")
	case !all: // one rule that is not there fails the whole request
		return c.answer(sg.ClassGone, "InvalidSecurityGroupRuleId.NotFound")
	case f == lostLate:
		c.late, c.lateAt = append(c.late, effect), append(c.lateAt, c.clock.now.Add(90*time.Second))
		return c.answer(sg.ClassTransient, "")
	case f == lagging:
		c.linger(keys)
	}
	effect()
	if f == lostAfter {
		return c.answer(sg.ClassTransient, "")
	}
	return c.answer(sg.ClassOK, "")
}

func (c *cloud) answer(class sg.Class, code string) revoker.Answer {
	return revoker.Answer{State: revoker.StateOf(class), Class: class, Code: code, RequestID: "request", At: c.clock.now}
}

// targets finds what a request names, and whether all of it is there. The flat form names the first rule that says so.
func (c *cloud) targets(call *revoker.Call) (keys []string, all bool) {
	flat := map[string]string{}
	all = true
	for _, p := range call.Parameters {
		flat[p.Name] = p.Value
		if strings.HasPrefix(p.Name, "SecurityGroupRuleId.") {
			keys = append(keys, p.Value)
			all = all && c.has(p.Value)
		}
	}
	if len(keys) == 0 {
		for i := range c.rules {
			if r := &c.rules[i]; r.Destination.Text == flat["DestCidrIp"] && strings.EqualFold(r.Raw.Protocol, flat["IpProtocol"]) {
				return []string{r.Key()}, true
			}
		}
	}
	return keys, all
}

// create adds the rule of a restore, unless there is an equal one.
func (c *cloud) create(call *revoker.Call) {
	f := sg.Fields{}
	for _, p := range call.Parameters {
		switch p.Name {
		case "IpProtocol":
			f.Protocol = strings.ToUpper(p.Value)
		case "PortRange":
			f.PortRange = p.Value
		case "DestCidrIp":
			f.CIDR4 = p.Value
		case "Policy":
			f.Policy = "Accept"
		case "Priority":
			f.Priority = p.Value
		case "NicType":
			f.NICType = p.Value
		case "Description":
			f.Description = p.Value
		}
	}
	if !slices.ContainsFunc(c.rules, func(r sg.Rule) bool { return r.Destination.Text == f.CIDR4 }) {
		c.add(f)
	}
}

// add adds a rule under a new ID.
func (c *cloud) add(f sg.Fields) {
	c.nextRule++
	f.ID, f.Created = fmt.Sprintf("sgr-new-%d", c.nextRule), c.clock.now.Format(time.RFC3339)
	c.rules = append(c.rules, sg.NewRule(&f))
}
