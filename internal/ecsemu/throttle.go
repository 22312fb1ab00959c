package ecsemu

import (
	"fmt"
	"maps"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu/cloud"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/wire"
)

// The headers that real SDKs read how long to wait from.
const (
	headerPerAPI = "x-ratelimit-user-api" // Of one action.
	headerPerAll = "x-ratelimit-user"     // Of all actions together.
	// headerRetry is what the newest ones read. They take any answer that has it for one of throttling.
	headerRetry = "x-acs-retry-after" // Milliseconds.
)

// throttle counts calls per account, region and action, in windows that begin at multiples of their length. Once a
// window's quota is used up, calls are refused until the next one begins. As clients cannot make up any of the three,
// what it remembers is bounded.
type throttle struct {
	quotas map[string]Quota // By action; those of QuotaDefault and QuotaTogether as well.
	code   wire.Code

	mu      sync.Mutex
	windows map[throttleKey]windowCount
}

// throttleKey has no action for the count of all together.
type throttleKey struct{ account, region, action string }

type windowCount struct {
	began time.Time
	calls int
}

// meter is what a count says of itself.
type meter struct {
	header        string
	limit, remain int
	left          time.Duration // Until the window ends.
}

func newThrottle(o *Options) *throttle {
	t := &throttle{quotas: map[string]Quota{}, code: wire.Code(o.QuotaCode), windows: map[throttleKey]windowCount{}}
	if o.QuotaPerSecond > 0 {
		window := o.QuotaWindow
		if window == 0 {
			window = time.Second
		}
		t.quotas[QuotaDefault] = Quota{Calls: int(math.Ceil(o.QuotaPerSecond * window.Seconds())), Per: window}
	}
	maps.Copy(t.quotas, o.Quotas)
	if t.code == "" {
		t.code = wire.CodeThrottlingUser
	}
	return t
}

// take counts a call. It gives what to tell of it, or, if it is one too many, those counts that are used up.
func (t *throttle) take(account, region, action string, now time.Time) (meters []meter, ok bool) {
	perAPI, limited := t.quotas[action]
	if !limited {
		perAPI = t.quotas[QuotaDefault]
	}
	together := t.quotas[QuotaTogether]
	if perAPI.Calls == 0 && together.Calls == 0 {
		return nil, true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var used []meter
	var count []func()
	for _, counted := range []struct {
		header string
		key    throttleKey
		quota  Quota
	}{
		{headerPerAPI, throttleKey{account, region, action}, perAPI},
		{headerPerAll, throttleKey{account, region, ""}, together},
	} {
		if counted.quota.Calls == 0 {
			continue
		}
		window := t.windows[counted.key]
		if began := now.Truncate(counted.quota.Per); !began.Equal(window.began) {
			window = windowCount{began: began}
		}
		m := meter{header: counted.header, limit: counted.quota.Calls, left: window.began.Add(counted.quota.Per).Sub(now)}
		if window.calls >= counted.quota.Calls {
			used = append(used, m)
			continue
		}
		window.calls++
		m.remain = counted.quota.Calls - window.calls
		meters = append(meters, m)
		count = append(count, func() { t.windows[counted.key] = window })
	}
	if len(used) > 0 {
		return used, false // A refused call counts nowhere.
	}
	for _, add := range count {
		add()
	}
	return meters, true
}

// withinQuota answers a request unless it is one too many. Either way the answer tells how much of a quota is left.
// That answers to calls that pass do so is not documented; real SDKs read these headers of refusals only.
func (s *Server) withinQuota(q *request) (reply, error) {
	region := q.Params.Get("RegionId")
	if !s.cloud.KnowsRegion(q.caller.Account, region) {
		region = "" // Regions that a client makes up must not fill the counters.
	}
	meters, ok := s.throttle.take(q.caller.Account, region, q.do.Name, s.clock())
	if !ok {
		return s.throttled(q, s.throttle.code, meters), nil
	}
	answer, err := s.withFaults(q)
	if err != nil {
		answer = s.failure(q, err)
	}
	for _, m := range meters {
		if answer.header == nil || answer.header[m.header] != "" {
			continue // It never comes, or a fault throttled it.
		}
		answer.header[m.header] = m.String()
	}
	return answer, nil
}

// String gives the header's value. What Reset is besides TimeLeft is not documented; here they are the same.
func (m meter) String() string {
	left := m.wait()
	return fmt.Sprintf("Limit:%d,Remain:%d,TimeLeft:%d,Reset:%d", m.limit, m.remain, left, left)
}

// wait is how many milliseconds are left of the window.
func (m meter) wait() int64 { return max(1, m.left.Milliseconds()) }

// throttled is the reply to a call that is one too many.
func (s *Server) throttled(q *request, code wire.Code, used []meter) reply {
	r := s.failure(q, wire.Refuse(code))
	var longest int64
	for _, m := range used {
		r.header[m.header] = m.String()
		longest = max(longest, m.wait())
	}
	r.header[headerRetry] = strconv.FormatInt(longest, 10)
	return r
}

// forget begins all counts anew.
func (t *throttle) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.windows)
}

// Names in [Options.Quotas] that stand for more than one action.
const (
	// QuotaDefault is of every action that has none of its own.
	QuotaDefault = ""
	// QuotaTogether is of all actions together.
	QuotaTogether = "*"
)

// Quota is how many calls an account may make in one region, in each window of a length. The cloud's windows are minutes.
type Quota struct {
	Calls int
	Per   time.Duration
}

func throttlingCodes() []string {
	return []string{string(wire.CodeThrottling), string(wire.CodeThrottlingUser), string(wire.CodeThrottlingAPI)}
}

// checkQuotas refuses quotas that count nothing.
func checkQuotas(o *Options, known *cloud.Cloud) error {
	for action, quota := range o.Quotas {
		if quota.Calls < 1 || quota.Per <= 0 {
			return fmt.Errorf("emulator options: the quota of %q is %d calls in %s: both must be more than 0", action,
				quota.Calls, quota.Per)
		}
		if action != QuotaDefault && action != QuotaTogether && known.Named(action) == nil {
			return fmt.Errorf("emulator options: a quota is of the action %q, which is unknown; known actions: %q", action,
				known.ActionNames())
		}
	}
	return nil
}
