package policy

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// endOfDay finds the first moment at which the calendar of the zone shows a later day than date, hour by hour and then
// second by second, so that it knows nothing of clocks that are changed at midnight.
func endOfDay(tb rapid.TB, date string, zone *time.Location) time.Time {
	tb.Helper()
	later := func(t time.Time) bool { return t.In(zone).Format(time.DateOnly) > date }
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		tb.Fatal(err)
	}
	t = t.Add(-16 * time.Hour)
	for _, step := range []time.Duration{time.Hour, time.Minute, time.Second} {
		for !later(t) {
			t = t.Add(step)
		}
		t = t.Add(-step)
	}
	return t.Add(time.Second)
}

func zone(tb rapid.TB, name string) *time.Location {
	tb.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return location
}

func TestADateEndsWhenTheCalendarOfItsZoneTurns(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, zone, date string }{
		{"without daylight saving", "Asia/Shanghai", "2027-01-31"},
		{"UTC over a leap day", "UTC", "2028-02-29"},
		{"the day before clocks go forward at midnight", "Africa/Cairo", "2026-04-23"},
		{"the day on which clocks went forward at its first moment", "Africa/Cairo", "2026-04-24"},
		{"the day that is 25 hours long", "Africa/Cairo", "2026-10-29"},
		{"before a forward midnight in Beirut", "Asia/Beirut", "2026-03-28"},
		{"on a day that begins at one o'clock in Beirut", "Asia/Beirut", "2026-03-29"},
		{"before a forward midnight in Chile", "America/Santiago", "2026-09-05"},
		{"on a day that begins at one o'clock in Chile", "America/Santiago", "2026-09-06"},
		{"a midnight that comes twice in Cuba", "America/Havana", "2026-10-31"},
		{"the day after it", "America/Havana", "2026-11-01"},
		{"a forward change at two o'clock", "Europe/Berlin", "2027-03-28"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			in := zone(t, test.zone)
			got, err := parseExpiry(test.date, in)
			if err != nil {
				t.Fatal(err)
			}
			if want := endOfDay(t, test.date, in); !got.Equal(want) {
				t.Errorf("%s in %s ends %s, want %s", test.date, test.zone, got, want.In(in))
			}
		})
	}
}

func TestADateOfABaselineIsTheBeginningOfTheDay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, zone, date, want string }{
		{"in UTC", "UTC", "2026-12-01", "2026-12-01T00:00:00Z"},
		{"in Shanghai", "Asia/Shanghai", "2026-12-01", "2026-11-30T16:00:00Z"},
		{"on a day that begins at one o'clock in Beirut", "Asia/Beirut", "2026-03-29", "2026-03-28T22:00:00Z"},
		{"on a day that begins twice in Cuba", "America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"},
		{"a time is itself", "Asia/Shanghai", "2026-12-01T10:30:00+02:00", "2026-12-01T08:30:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseStart(test.date, zone(t, test.zone))
			if err != nil {
				t.Fatal(err)
			}
			if got := got.UTC().Format(time.RFC3339); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestEveryDateOfEveryZoneEndsWhenTheCalendarTurns(t *testing.T) {
	t.Parallel()
	zones := []string{
		"UTC", "Asia/Shanghai", "America/New_York", "Africa/Cairo", "Asia/Beirut", "America/Santiago", "America/Havana",
		"America/Asuncion", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "Atlantic/Azores",
	}
	rapid.Check(t, func(t *rapid.T) {
		in := zone(t, rapid.SampledFrom(zones).Draw(t, "zone"))
		day := time.Date(2024, time.January, rapid.IntRange(1, 2500).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
		date := day.Format(time.DateOnly)
		got, err := parseExpiry(date, in)
		if err != nil {
			t.Fatal(err)
		}
		if want := endOfDay(t, date, in); !got.Equal(want) {
			t.Errorf("%s in %s ends %s, want %s", date, in, got, want.In(in))
		}
	})
}
