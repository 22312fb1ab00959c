package revoker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

var errJournal = errors.New("disk full")

// journal is what is on record. It refuses what a store refuses.
type journal struct {
	cloud       *cloud
	revocations []revoker.Revocation
	restore     revoker.Restore
	calls       map[string]*revoker.Call
	order       []string
	fail        map[string]bool // methods that fail
	falsely     []string        // revocations that ended confirmed while their rule was there
}

func newJournal(c *cloud) *journal {
	return &journal{cloud: c, calls: map[string]*revoker.Call{}, fail: map[string]bool{}}
}

func (j *journal) Record(ctx context.Context, call *revoker.Call) error {
	switch {
	case j.fail["Record"]:
		return errJournal
	case ctx.Err() != nil:
		return ctx.Err()
	case j.calls[call.ID] != nil:
		return fmt.Errorf("call %s is known", call.ID)
	case call.State != revoker.CallRecorded || call.Recorded.IsZero() || call.Deadline.IsZero():
		return fmt.Errorf("call %s is not as it must be recorded: %+v", call.ID, call)
	}
	kept := *call
	kept.Carries, kept.Parameters = slices.Clone(call.Carries), slices.Clone(call.Parameters)
	j.calls[call.ID], j.order = &kept, append(j.order, call.ID)
	return nil
}

func (j *journal) Answer(ctx context.Context, id string, answer revoker.Answer) error {
	call := j.calls[id]
	switch {
	case j.fail["Answer"]:
		return errJournal
	case ctx.Err() != nil:
		return ctx.Err()
	case call == nil || call.State != revoker.CallRecorded:
		return fmt.Errorf("answer to call %s, which is not waited for", id)
	}
	call.State, call.Answer = answer.State, answer
	return nil
}

func (j *journal) Finish(_ context.Context, endings []revoker.Ending) error {
	if j.fail["Finish"] {
		return errJournal
	}
	for _, e := range endings {
		i := slices.IndexFunc(j.revocations, func(v revoker.Revocation) bool { return v.ID == e.Revocation })
		if i < 0 || j.revocations[i].Outcome != "" || e.Outcome == "" {
			return fmt.Errorf("revocation %s is not open", e.Revocation)
		}
		v := &j.revocations[i]
		v.Outcome, v.Attribution, v.Detail, v.Ended = e.Outcome, e.Attribution, e.Detail, e.At
		if e.Outcome == revoker.Confirmed && !j.cloud.gone && j.cloud.has(v.Rule.Key()) {
			j.falsely = append(j.falsely, v.ID)
		}
	}
	return nil
}

func (j *journal) FinishRestore(_ context.Context, r *revoker.Restore) error {
	switch {
	case j.fail["FinishRestore"]:
		return errJournal
	case j.restore.Outcome != "" || r.ID != j.restore.ID || r.Outcome == "":
		return fmt.Errorf("restore %s is not open", r.ID)
	}
	j.restore = *r
	return nil
}

// work is what is open on record.
func (j *journal) work() *revoker.Work {
	w := &revoker.Work{Ref: ref}
	for _, v := range j.revocations {
		if v.Outcome == "" {
			w.Revocations = append(w.Revocations, v)
		}
	}
	for _, id := range j.order {
		call := *j.calls[id]
		if slices.ContainsFunc(w.Revocations, func(v revoker.Revocation) bool { return slices.Contains(call.Carries, v.ID) }) {
			w.Calls = append(w.Calls, call)
		}
	}
	return w
}

func (j *journal) restoreWork() *revoker.RestoreWork {
	w := &revoker.RestoreWork{Restore: j.restore}
	for _, id := range j.order {
		w.Calls = append(w.Calls, *j.calls[id])
	}
	return w
}

// outcomes gives what became of every revocation, by ID.
func (j *journal) outcomes() map[string]revoker.Outcome {
	outcomes := map[string]revoker.Outcome{}
	for _, v := range j.revocations {
		outcomes[v.ID] = v.Outcome
	}
	return outcomes
}

// rule makes the n-th rule.
func rule(n int) sg.Rule {
	return sg.NewRule(&sg.Fields{
		ID: fmt.Sprintf("sgr-%d", n), Protocol: "TCP", PortRange: "443/443", CIDR4: fmt.Sprintf("192.0.%d.%d/32", n/256, n%256),
		Policy: "Accept", Priority: "1", NICType: "intranet", Created: "2021-01-01T00:00:00Z",
	})
}

func rules(n int) []sg.Rule {
	all := make([]sg.Rule, n)
	for i := range all {
		all[i] = rule(i)
	}
	return all
}

// revoking gives a cloud of n rules, all of which are to be revoked: revocation v0 is for rule sgr-0, and so on.
func revoking(n int) *cloud { return revokingRules(rules(n)...) }

func revokingRules(all ...sg.Rule) *cloud {
	c := newCloud(all...)
	for i, r := range all {
		c.journal.revocations = append(c.journal.revocations, revoker.Revocation{
			ID: "v" + strconv.Itoa(i), Sweep: "s1", Ref: ref, Rule: r, Created: c.clock.now,
			Policies: []revoker.Cause{{Policy: "p", Hash: "h"}}, Origin: revoker.BySchedule, Actor: "daemon",
		})
	}
	return c
}

// crash is what a process that ends between two steps leaves behind: nothing.
type crash struct{}

// revoker makes a Revoker of a new process. reached may be nil.
func (c *cloud) revoker(reached func(string)) *revoker.Revoker {
	r, err := revoker.New(revoker.Options{
		Journal: c.journal, Restores: c.journal, Checker: c, Sender: c, Reached: reached, Now: c.clock.Now,
		Wait:  func(ctx context.Context, d time.Duration) error { c.pass(d); return ctx.Err() },
		NewID: func() string { c.nextRule++; return "call-" + strconv.Itoa(c.nextRule) },
	})
	if err != nil {
		panic(err)
	}
	return r
}

// settle runs Settle once. Crashed tells whether the process ended in it.
func (c *cloud) settle(ctx context.Context, reached func(string)) (s revoker.Settled, crashed bool, err error) {
	defer recoverCrash(&crashed)
	s, err = c.revoker(reached).Settle(ctx, c.journal.work())
	return s, false, err
}

// restoreOnce runs Restore once, to its end or to that of the process.
func (c *cloud) restoreOnce(ctx context.Context, reached func(string)) (r revoker.Restore, err error) {
	var crashed bool
	defer recoverCrash(&crashed)
	return c.revoker(reached).Restore(ctx, c.journal.restoreWork())
}

func recoverCrash(crashed *bool) {
	switch p := recover(); p.(type) {
	case nil:
	case crash:
		*crashed = true
	default:
		panic(p)
	}
}
