package policy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// actionClause asks whether a rule accepts or drops. Both false is impossible; both true is no clause at all.
type actionClause struct {
	action  sg.Action
	implied bool // the file does not say; a policy means accept then
}

func (c *actionClause) eval(p *probe) value {
	if p.rule.Action == "" {
		return unread
	}
	return truth(p.rule.Action == c.action)
}

func (c *actionClause) canonical() string { return "rule-action " + string(c.action) }

// because says nothing for accept, which is what everybody expects.
func (c *actionClause) because(*probe) string {
	if c.action == sg.Accept {
		return ""
	}
	return "rule-action is drop"
}

// everyClause is true of every rule; a policy says so on purpose.
type everyClause struct{}

func (everyClause) eval(*probe) value     { return yes }
func (everyClause) canonical() string     { return "every-rule" }
func (everyClause) because(*probe) string { return "every rule of the group" }

// olderClause asks for rules made before a while ago.
type olderClause struct {
	age  time.Duration
	text string
}

func (c *olderClause) eval(p *probe) value {
	if p.rule.Created.IsZero() {
		return unread
	}
	return truth(p.now.Sub(p.rule.Created) > c.age)
}

func (c *olderClause) canonical() string { return "older-than " + c.age.String() }

func (c *olderClause) because(p *probe) string {
	return fmt.Sprintf("created %s, older than %s", p.rule.Created.Format(time.DateOnly), c.text)
}

// descriptionClause looks at the description of a rule. Without an expression it asks whether it is empty.
type descriptionClause struct{ matches *regexp.Regexp }

func (c *descriptionClause) eval(p *probe) value {
	if c.matches == nil {
		return truth(strings.TrimSpace(p.rule.Description) == "")
	}
	return truth(c.matches.MatchString(p.rule.Description))
}

func (c *descriptionClause) because(*probe) string {
	if c.matches == nil {
		return "description is empty"
	}
	return fmt.Sprintf("description matches %q", c.matches)
}

func (c *descriptionClause) canonical() string {
	if c.matches == nil {
		return "description empty"
	}
	return fmt.Sprintf("description matches %q", c.matches)
}

// expiredClause takes dates out of the description and asks whether the latest has passed.
type expiredClause struct {
	pattern *regexp.Regexp
	zone    *time.Location
}

func (c *expiredClause) eval(p *probe) value {
	_, v := c.find(p)
	return v
}

// find gives the latest date as it is written. No date at all is unread: a missing expiry; one that cannot be
// understood is badExpiry even beside good ones, since it might be the latest.
func (c *expiredClause) find(p *probe) (string, value) {
	var latest time.Time
	var text string
	for _, m := range c.pattern.FindAllStringSubmatchIndex(p.rule.Description, -1) {
		if m[2] < 0 { // the group did not take part
			return "", badExpiry
		}
		date := p.rule.Description[m[2]:m[3]]
		end, err := parseExpiry(date, c.zone)
		if err != nil {
			return "", badExpiry
		}
		if text == "" || end.After(latest) {
			latest, text = end, date
		}
	}
	if text == "" {
		return "", unread
	}
	return text, truth(!p.now.Before(latest))
}

func (c *expiredClause) because(p *probe) string {
	text, v := c.find(p)
	if v == badExpiry {
		return "the expiry date in the description cannot be understood"
	}
	return fmt.Sprintf("expired %s, says the description", text)
}

func (c *expiredClause) canonical() string {
	return fmt.Sprintf("expired %q %s", c.pattern, c.zone)
}

// parseExpiry reads an RFC 3339 time or a date. A date is the end of that day in the zone, which is when the next one
// begins, whatever the clocks do in between.
func parseExpiry(text string, zone *time.Location) (time.Time, error) {
	return parseMoment(text, zone, 1)
}

// parseStart reads an RFC 3339 time or a date, which is the beginning of that day in the zone.
func parseStart(text string, zone *time.Location) (time.Time, error) {
	return parseMoment(text, zone, 0)
}

// parseMoment reads an RFC 3339 time, or a date, which is the beginning of the day that many days later.
func parseMoment(text string, zone *time.Location, later int) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return writable(t), nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a date (2027-01-31) nor a time (2027-01-31T18:00:00+08:00)", text)
	}
	return writable(firstMoment(day.AddDate(0, 0, later), zone)), nil
}

// writable keeps a time within the years that RFC 3339 can write: people write 9999-12-31 for never, and the day after
// it could not be reported.
func writable(t time.Time) time.Time {
	earliest := time.Date(0, time.January, 1, 0, 0, 0, 0, time.UTC)
	latest := time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
	switch {
	case t.Before(earliest):
		return earliest
	case t.After(latest):
		return latest
	}
	return t
}

// firstMoment is when a day of the calendar begins in a zone. Where clocks go forward over midnight there is no such
// wall clock time and [time.Date] gives one before or after the gap: the day begins with the change.
func firstMoment(date time.Time, zone *time.Location) time.Time {
	year, month, day := date.Date()
	t := time.Date(year, month, day, 0, 0, 0, 0, zone)
	start, end := t.ZoneBounds()
	switch {
	case t.Day() != day:
		return end
	case t.Hour() != 0 || t.Minute() != 0:
		return start
	}
	return t
}

// parseAge reads a duration of [parseDuration] that is not zero.
func parseAge(text string) (time.Duration, error) {
	age, err := parseDuration(text)
	if err != nil || age == 0 {
		return 0, noDuration(text)
	}
	return age, nil
}

// parseDuration reads a duration in days, hours, minutes or seconds, such as 90d or 1d12h. It is never negative.
func parseDuration(text string) (time.Duration, error) {
	if text == "" {
		return 0, noDuration(text)
	}
	days, rest, found := strings.Cut(text, "d")
	if !found {
		days, rest = "0", text
	}
	var total time.Duration
	count, err := time.ParseDuration(days + "h")
	if err != nil || strings.ContainsAny(days, ".-+hms") || count > maxDays*time.Hour {
		return 0, noDuration(text)
	}
	total = 24 * count
	if rest != "" {
		part, err := time.ParseDuration(rest)
		if err != nil || part > maxDays*24*time.Hour {
			return 0, noDuration(text)
		}
		total += part
	}
	// A sign is refused wherever it stands, and a zero must have a unit.
	if strings.ContainsAny(rest, "-+") || rest == "0" {
		return 0, noDuration(text)
	}
	return total, nil
}

// maxDays is a hundred years: two such parts still fit into a [time.Duration].
const maxDays = 36500

func noDuration(text string) error {
	return fmt.Errorf("%q is no duration: write 90d, 36h or 1d12h", text)
}

func sortedList(names []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(names))), ",")
}
