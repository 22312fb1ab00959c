package ecsemu

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseQuota reads a quota of one action, as "ACTION=5/s" or "ACTION=300/m". The action may be [QuotaDefault], which
// leaves nothing before the =, or [QuotaTogether].
func ParseQuota(text string) (action string, quota Quota, err error) {
	wrong := fmt.Errorf("parsing quota %q: expected ACTION=NUMBER/s or ACTION=NUMBER/m, with a number from 1", text)
	action, rest, hasAction := strings.Cut(text, "=")
	number, unit, _ := strings.Cut(rest, "/")
	quota.Calls, err = strconv.Atoi(number)
	switch unit {
	case "s":
		quota.Per = time.Second
	case "m":
		quota.Per = time.Minute
	}
	if !hasAction || err != nil || quota.Calls < 1 || quota.Per == 0 {
		return "", Quota{}, wrong
	}
	return action, quota, nil
}
