package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

const minEvery = time.Minute

// checkSchedule refuses what the cron library takes but nobody can mean, and what makes it panic. It must come before
// every other use of the library.
func checkSchedule(text string) error {
	if err := checkZone(text); err != nil {
		return err
	}
	schedule, err := cron.ParseStandard(text)
	if err != nil {
		return err
	}
	// The library rounds delays under a second up to one, negative ones included.
	if every, ok := schedule.(cron.ConstantDelaySchedule); ok && every.Delay < minEvery {
		return fmt.Errorf("expected at least %s between two sweeps", minEvery)
	}
	for _, from := range referenceTimes() {
		if !schedule.Next(from).IsZero() {
			return nil
		}
	}
	return errors.New("never fires: no such date exists")
}

// checkZone looks at a leading time zone as the library finds it. The library panics if no space follows, takes an
// empty zone for UTC, and one called Local for whatever the machine is set to.
func checkZone(text string) error {
	prefix, rest, _ := strings.Cut(text, "=")
	if prefix != "TZ" && prefix != "CRON_TZ" {
		return nil
	}
	zone, _, found := strings.Cut(rest, " ")
	if !found || zone == "" || zone == "Local" {
		return fmt.Errorf("expected a time zone and a space after %s=, as in %s=Asia/Shanghai 0 2 * * *", prefix, prefix)
	}
	if _, err := time.LoadLocation(zone); err != nil {
		return fmt.Errorf("unknown time zone %q", zone)
	}
	return nil
}

// referenceTimes are where a search for the next time starts. The library looks five years ahead, so that from these,
// every date that exists is found. They are fixed, because whether a file is valid must not depend on the day.
func referenceTimes() []time.Time {
	return []time.Time{
		time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC),
		time.Date(2028, time.July, 1, 0, 0, 0, 0, time.UTC),
	}
}
