package revoker_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

func TestStepsAreWhatIsReached(t *testing.T) {
	var got []string
	note := func(step string) { got = append(got, step) }
	if _, _, err := revoking(1).settle(t.Context(), note); err != nil {
		t.Fatal(err)
	}
	if _, err := restoringRule().restoreOnce(t.Context(), note); err != nil {
		t.Fatal(err)
	}
	want := revoker.Steps()
	if diff := cmp.Diff(append(want[:len(want)-1], revoker.RestorePrefix+revoker.StepListed, want[len(want)-1]), got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestNewNeedsAllItWorksWith(t *testing.T) {
	c := newCloud()
	full := revoker.Options{
		Journal: c.journal, Checker: c, Sender: c, Now: c.clock.Now, Wait: c.clock.Wait, NewID: func() string { return "c" },
	}
	if _, err := revoker.New(full); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		spoil func(*revoker.Options)
		want  string
	}{
		{func(o *revoker.Options) { o.Journal = nil }, "revoker without a journal"},
		{func(o *revoker.Options) { o.Checker = nil }, "revoker without a checker"},
		{func(o *revoker.Options) { o.Sender = nil }, "revoker without a sender"},
		{func(o *revoker.Options) { o.Now = nil }, "revoker without a clock"},
		{func(o *revoker.Options) { o.Wait = nil }, "revoker without a clock"},
		{func(o *revoker.Options) { o.NewID = nil }, "revoker without IDs for calls"},
	}
	for _, test := range tests {
		o := full
		test.spoil(&o)
		if _, err := revoker.New(o); err == nil || err.Error() != test.want {
			t.Errorf("got error %v, want %s", err, test.want)
		}
	}
}

func TestOutcomesAreAllDistinct(t *testing.T) {
	want := []revoker.Outcome{"confirmed", "already_absent", "changed", "withdrawn", "failed"}
	if diff := cmp.Diff(want, revoker.Outcomes()); diff != "" {
		t.Errorf("outcomes, which stores and reports have written down (-want +got):\n%s", diff)
	}
}

// Whatever does not say for certain that nothing was done leaves a call unknown.
func TestStatesFollowFromClasses(t *testing.T) {
	want := map[sg.Class]revoker.CallState{
		sg.ClassOK: revoker.CallSucceeded, sg.ClassGone: revoker.CallRefused, sg.ClassGroupGone: revoker.CallRefused,
		sg.ClassPeerGone: revoker.CallUnknown, sg.ClassProtected: revoker.CallRefused,
		sg.ClassThrottled: revoker.CallRefused, sg.ClassDenied: revoker.CallRefused, sg.ClassInvalid: revoker.CallRefused,
		sg.ClassIdempotency: revoker.CallRefused, sg.ClassInProgress: revoker.CallUnknown,
		sg.ClassTransient: revoker.CallUnknown, sg.ClassCancelled: revoker.CallUnknown,
		sg.ClassUnsent: revoker.CallUnsent, "": revoker.CallUnknown, "a new one": revoker.CallUnknown,
	}
	got := map[sg.Class]revoker.CallState{}
	for class := range want {
		got[class] = revoker.StateOf(class)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}
