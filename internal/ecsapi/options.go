package ecsapi

import (
	"crypto/x509"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"
)

const (
	defaultClients = 8
	defaultTimeout = 30 * time.Second
	defaultQuota   = 10
	// writeQuota leaves the most of a quota to people who respond to an incident by the same calls.
	writeQuota = 1
)

// Options are what a [Client] is made of. Credentials and Now are required.
type Options struct {
	// Endpoint serves ECS and STS of all regions, as http://127.0.0.1:8080 or https://host:port. Plain HTTP is for
	// loopback only. Empty means HTTPS and the cloud's own endpoints.
	Endpoint string
	// CAs are trusted instead of the system's, if not nil.
	CAs *x509.CertPool
	// Credentials sign every call.
	Credentials Credentials
	// Quotas are calls per second by action, per region. What is missing is taken from [DefaultQuotas].
	Quotas map[string]float64
	// Clients bounds the calls under way at once in each region, and likewise those that belong to no region. Zero
	// means 8.
	Clients int
	// Observer is told of every attempt and wait. Nil means nobody is. It is called from many goroutines at once.
	Observer Observer
	// Now is the wall clock, for latencies and for the cloud's minute windows.
	Now func() time.Time
	// Timeout bounds one attempt, waits for its turn not included. Zero means 30 seconds.
	Timeout time.Duration
}

// Observer is told what a [Client] does.
type Observer interface {
	// Call tells of one attempt: how it ended and how long the cloud took.
	Call(action string, class Class, latency time.Duration)
	// Wait tells how long an attempt waited for the quota before it was made.
	Wait(action string, d time.Duration)
}

// noObserver is for nobody.
type noObserver struct{}

func (noObserver) Call(string, Class, time.Duration) {}
func (noObserver) Wait(string, time.Duration)        {}

// DefaultQuotas are calls per second by action. The cloud's real quotas are per account, region and action, are shared
// with the console, and are not published (https://help.aliyun.com/zh/ecs/developer-reference/api-throttling): these
// leave room for others. Actions that are not listed have 10 too.
func DefaultQuotas() map[string]float64 {
	return map[string]float64{
		actionIdentity:   defaultQuota,
		actionRegions:    defaultQuota,
		actionGroups:     defaultQuota,
		actionRules:      defaultQuota,
		actionPrefixList: defaultQuota,
		actionPortList:   defaultQuota,
		actionRevoke:     writeQuota,
		actionAuthorize:  writeQuota,
	}
}

var (
	errNow   = errors.New("no clock: Now is needed")
	errDebug = errors.New("the environment variable DEBUG contains sdk, which makes the cloud's SDK print " +
		"signatures and tokens: unset it")
)

// validate checks the options and fills in the defaults.
func (o *Options) validate() error {
	if o.Now == nil {
		return errNow
	}
	if err := o.Credentials.validate(); err != nil {
		return err
	}
	// The SDK reads this variable by itself, hence no injected look-up.
	if slices.Contains(strings.Split(os.Getenv("DEBUG"), ","), "sdk") {
		return errDebug
	}
	if o.Clients < 0 || o.Timeout < 0 {
		return fmt.Errorf("clients %d and timeout %v: expected nothing negative", o.Clients, o.Timeout)
	}
	for action, quota := range o.Quotas {
		if !(quota > 0) || math.IsInf(quota, 0) {
			return fmt.Errorf("quota %v of %s: expected calls per second above 0", quota, action)
		}
	}
	if o.Clients == 0 {
		o.Clients = defaultClients
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Observer == nil {
		o.Observer = noObserver{}
	}
	return nil
}

// quota gives the calls per second of an action.
func (o *Options) quota(action string) float64 {
	if quota, ok := o.Quotas[action]; ok {
		return quota
	}
	if quota, ok := DefaultQuotas()[action]; ok {
		return quota
	}
	return defaultQuota
}
