package ecsapi

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// refuses says why a value is not allowed. It is empty if the value is.
func (p *parameter) refuses(value string) string {
	switch {
	case !utf8.ValidString(value):
		return "not UTF-8"
	case value == "" && p.Empty:
		return ""
	case value == "":
		return "empty"
	}
	if why := p.refusesType(value); why != "" {
		return why
	}
	if len(p.Values) > 0 && !among(value, slices.Concat(p.Values, p.Unlisted), p.Fold) {
		return fmt.Sprintf("%q is none of %s", value, strings.Join(p.Values, ", "))
	}
	if len(p.Range) == 2 && !within(value, p.Range[0], p.Range[1]) {
		return fmt.Sprintf("%q is not a number from %d to %d", value, p.Range[0], p.Range[1])
	}
	if n := int64(utf8.RuneCountInString(value)); len(p.Length) == 2 && (n < p.Length[0] || n > p.Length[1]) {
		return fmt.Sprintf("%d characters, not %d to %d", n, p.Length[0], p.Length[1])
	}
	if p.Pattern != "" && !regexp.MustCompile(`^(?:`+p.Pattern+`)$`).MatchString(value) {
		return fmt.Sprintf("%q does not match %s", value, p.Pattern)
	}
	if p.Format != "" && !formats()[p.Format](value) {
		return fmt.Sprintf("%q is not written as %s", value, p.Format)
	}
	return ""
}

func (p *parameter) refusesType(value string) string {
	is := true
	switch p.Type {
	case "integer":
		is = within(value, -1<<31, 1<<31-1)
	case "long":
		is = within(value, -1<<63, 1<<63-1)
	case "boolean":
		is = value == "true" || value == "false"
	case "json list":
		var items []string
		is = json.Unmarshal([]byte(value), &items) == nil && int64(len(items)) >= p.N[0] && int64(len(items)) <= p.N[1]
	}
	if !is {
		return fmt.Sprintf("%q is no %s", value, p.Type)
	}
	return ""
}

// among tells whether a value is one of some, where "0..255" stands for all numbers between.
func among(value string, some []string, fold bool) bool {
	return slices.ContainsFunc(some, func(one string) bool {
		if low, high, ok := strings.Cut(one, ".."); ok {
			from, errLow := strconv.ParseInt(low, 10, 64)
			to, errHigh := strconv.ParseInt(high, 10, 64)
			return errLow == nil && errHigh == nil && within(value, from, to)
		}
		return one == value || fold && strings.EqualFold(one, value)
	})
}

// within tells whether a text is a number between two, written in the one way there is.
func within(value string, low, high int64) bool {
	n, err := strconv.ParseInt(value, 10, 64)
	return err == nil && n >= low && n <= high && strconv.FormatInt(n, 10) == value
}

// formats are the ways to write a value that patterns cannot tell.
func formats() map[string]func(string) bool {
	return map[string]func(string) bool{
		"ipv4 block":         func(text string) bool { return isBlock(text, netip.Addr.Is4) },
		"ipv6 block":         func(text string) bool { return isBlock(text, netip.Addr.Is6) },
		"ports":              isPorts,
		"ports or -1/-1":     func(text string) bool { return text == "-1/-1" || isPorts(text) },
		"base64 of 20 bytes": isSignature,
		"time in UTC": func(text string) bool {
			parsed, err := time.Parse("2006-01-02T15:04:05Z", text)
			return err == nil && parsed.Format("2006-01-02T15:04:05Z") == text
		},
	}
}

// isBlock tells whether a text is an address, or a block of addresses, of a family.
func isBlock(text string, family func(netip.Addr) bool) bool {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return family(prefix.Addr())
	}
	addr, err := netip.ParseAddr(text)
	return err == nil && addr.Zone() == "" && family(addr)
}

func isPorts(text string) bool {
	low, high, ok := strings.Cut(text, "/")
	if !ok || !within(low, 1, 65535) || !within(high, 1, 65535) {
		return false
	}
	from, errLow := strconv.Atoi(low)
	to, errHigh := strconv.Atoi(high)
	return errLow == nil && errHigh == nil && from <= to
}

func isSignature(text string) bool {
	sum, err := base64.StdEncoding.DecodeString(text)
	return err == nil && len(sum) == 20
}
