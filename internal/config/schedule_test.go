package config

import (
	"testing"

	"github.com/robfig/cron/v3"
)

// What the library panics on must be refused before it sees it, and what it mistakes must be refused after.
func TestTheCronLibraryStillNeedsTheChecks(t *testing.T) {
	for _, text := range []string{"TZ=", "CRON_TZ=", "TZ=UTC", "CRON_TZ=Asia/Shanghai", "TZ=UTC\t0"} {
		t.Run(text, func(t *testing.T) {
			if err := checkSchedule(text); err == nil {
				t.Error("it is taken")
			}
			defer func() {
				if recover() == nil {
					t.Error("the library no longer panics: the check can go")
				}
			}()
			_, _ = cron.ParseStandard(text)
		})
	}
}

// FuzzSchedule proves that checking any text, and using what passes, does not panic and has a next time.
func FuzzSchedule(f *testing.F) {
	for _, text := range []string{
		"0 2 * * *", "*/15 * * * 1-5", "@daily", "@every 1h", "CRON_TZ=Asia/Shanghai 0 */2 * * *", "TZ=", "CRON_TZ=X",
		"TZ= 0 0 * * *", "@every 1ns", "@every -9999999h", "0 0 29 2 *", "0 0 31 2 *", "TZ=UTC @every 1m", "* * * * */0",
		"0-9999999999 * * * *", "TZ=America/Asuncion 0 0 1 10 *",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if checkSchedule(text) != nil {
			return
		}
		schedule, err := cron.ParseStandard(text)
		if err != nil {
			t.Fatalf("%q passes the check but not the library: %v", text, err)
		}
		fires := false
		for _, from := range referenceTimes() {
			next := schedule.Next(from)
			fires = fires || next.After(from)
		}
		if !fires {
			t.Errorf("%q passes but never fires", text)
		}
	})
}
