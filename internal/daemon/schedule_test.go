package daemon

import (
	"errors"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
)

func TestWakeUps(t *testing.T) {
	t.Parallel()
	parse := func(text string) cron.Schedule {
		schedule, err := cron.ParseStandard(text)
		if err != nil {
			t.Fatal(err)
		}
		return schedule
	}
	at := func(text string) time.Time {
		when, err := time.Parse(time.DateTime, "2026-03-01 "+text)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	tests := []struct {
		name     string
		schedule cron.Schedule
		last     time.Time // zero: never swept
		planned  time.Time
		now      time.Time
		due      bool
		want     time.Time
	}{
		{
			name:     "never swept is due at once and then by the schedule",
			schedule: parse("0 */2 * * *"), planned: at("09:10:00"), now: at("09:10:00"),
			due: true, want: at("10:00:00"),
		},
		{
			name:     "swept since the last tick waits for the next",
			schedule: parse("0 */2 * * *"), last: at("08:00:01"), planned: at("09:10:00"), now: at("09:10:00"),
			want: at("10:00:00"),
		},
		{
			name:     "a tick is due and followed by the next",
			schedule: parse("0 */2 * * *"), last: at("08:00:01"), planned: at("10:00:00"), now: at("10:00:00").Add(time.Millisecond),
			due: true, want: at("12:00:00"),
		},
		{
			name:     "a wake-up before its time is repeated at its time",
			schedule: parse("0 */2 * * *"), last: at("08:00:01"), planned: at("10:00:00"), now: at("10:00:00").Add(-time.Millisecond),
			want: at("10:00:00"),
		},
		{
			name:     "swept by a clock that was days ahead is due at once",
			schedule: parse("0 */2 * * *"), last: at("09:10:00").AddDate(0, 0, 3), planned: at("09:10:00"), now: at("09:10:00"),
			due: true, want: at("10:00:00"),
		},
		{
			name:     "several ticks that passed are one",
			schedule: parse("0 */2 * * *"), last: at("02:00:01"), planned: at("04:00:00"), now: at("09:10:00"),
			due: true, want: at("10:00:00"),
		},
		{
			name:     "an interval counts from the sweep, which began after its wake-up",
			schedule: parse("@every 2h"), last: at("08:00:03"), planned: at("10:00:00"), now: at("10:00:00"),
			want: at("10:00:03"),
		},
		{
			name:     "after the clock was set back sweeps wait for the last one to be past",
			schedule: parse("0 */2 * * *"), last: at("20:00:01"), planned: at("10:00:00"), now: at("10:00:00"),
			want: at("22:00:00"),
		},
		{
			name:     "a schedule without a time zone is in UTC wherever the last sweep was recorded",
			schedule: parse("0 2 * * *"), last: at("00:30:00").In(time.FixedZone("", 8*3600)),
			planned: at("01:00:00"), now: at("01:00:00"),
			want: at("02:00:00"),
		},
		{
			name:     "a schedule with a time zone is in that",
			schedule: parse("CRON_TZ=Asia/Shanghai 0 2 * * *"), last: at("00:30:00"),
			planned: at("01:00:00"), now: at("01:00:00"),
			want: at("18:00:00"),
		},
		{
			name:     "a schedule that never fires again is never due",
			schedule: parse("0 0 30 2 *"), last: at("00:30:00"), planned: at("01:00:00"), now: at("01:00:00"),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig()
			if !tt.last.IsZero() {
				r.store.last["a"] = tt.last
			}
			r.options.Now = func() time.Time { return tt.now }
			d := r.idle()
			due, err := d.isDue(t.Context(), tt.schedule, "a")
			if err != nil || due != tt.due {
				t.Errorf("due: got %t and %v, want %t and no error", due, err, tt.due)
			}
			got := d.wakeAt(t.Context(), tt.schedule, "a", tt.planned)
			if !got.Equal(tt.want) {
				t.Errorf("next wake-up: got %s, want %s", got, tt.want)
			}
			if !r.planned("a").Equal(tt.want) {
				t.Errorf("next sweep observed: got %s, want %s", r.planned("a"), tt.want)
			}
		})
	}
}

func TestClockThatMovesOnWhileNobodyWasSweptDoesNotSpin(t *testing.T) {
	t.Parallel()
	r := newRig()
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	r.options.Now = func() time.Time {
		now = now.Add(time.Microsecond)
		return now
	}
	got := r.idle().wakeAt(t.Context(), every(time.Hour), "a", now)
	if got.Sub(now) < 59*time.Minute {
		t.Errorf("got a wake-up in %s, want in an hour", got.Sub(now))
	}
}

func TestStoreThatDoesNotAnswerIsAskedAgainSoon(t *testing.T) {
	t.Parallel()
	r := newRig()
	r.store.err = errors.New("disk full")
	d := r.idle()
	if got := time.Until(d.wakeAt(t.Context(), every(time.Hour), "a", time.Now())); got > DefaultSettleEvery {
		t.Errorf("next wake-up: got in %s, want within %s", got, DefaultSettleEvery)
	}
	d.generations.replace(of(every(time.Hour), r.account("a")))
	again, err := d.tick(t.Context(), "a", false)
	if again != DefaultSettleEvery || !errors.Is(err, r.store.err) {
		t.Errorf("tick: got again in %s and %v, want in %s and %v", again, err, DefaultSettleEvery, r.store.err)
	}
}
