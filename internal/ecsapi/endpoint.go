package ecsapi

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// Hosts of the cloud where no region has a say.
const (
	hostSTS     = "sts.aliyuncs.com"
	hostCentral = "ecs.aliyuncs.com"
)

// endpoint is where calls go. The zero value is the cloud itself.
type endpoint struct {
	host     string // with the port; empty for the cloud's own hosts
	plain    bool   // HTTP, which only loopback may have
	loopback bool
}

var (
	errEndpoint = errors.New("expected http://127.0.0.1:PORT or https://HOST[:PORT]")
	errPlain    = errors.New("plain http is for loopback addresses only, credentials travel with each call: use https")
	errHost     = errors.New("not a host name")
	errRegion   = errors.New("not a region id")
)

// parseEndpoint reads Options.Endpoint. Errors do not repeat the text: it may hold a password.
func parseEndpoint(text string) (endpoint, error) {
	if text == "" {
		return endpoint{}, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return endpoint{}, fmt.Errorf("endpoint: %w", errEndpoint)
	}
	e := endpoint{host: u.Host, plain: u.Scheme == "http", loopback: isLoopback(u.Hostname())}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return endpoint{}, fmt.Errorf("endpoint: %w", errEndpoint)
	case e.plain && !e.loopback:
		return endpoint{}, fmt.Errorf("endpoint at %s: %w", u.Host, errPlain)
	}
	return e, nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

func (e endpoint) scheme() string {
	if e.plain {
		return "HTTP"
	}
	return "HTTPS"
}

// of gives the host of ECS in a region, or the central one for the zero region. A host is always given to the SDK,
// or else it would ask the cloud's location service for one.
func (e endpoint) of(region sg.Region) (string, error) {
	if region.ID != "" && !isName(region.ID, "-_") {
		return "", fmt.Errorf("region %q: %w", region.ID, errRegion)
	}
	if region.Endpoint != "" && !isName(region.Endpoint, "-.:") {
		return "", fmt.Errorf("endpoint %q of region %s: %w", region.Endpoint, region.ID, errHost)
	}
	switch {
	case e.host != "":
		return e.host, nil
	case region.Endpoint != "":
		return region.Endpoint, nil
	case region.ID == "":
		return hostCentral, nil
	default:
		return "ecs." + region.ID + ".aliyuncs.com", nil
	}
}

// ofSTS gives the host of STS.
func (e endpoint) ofSTS() string {
	if e.host != "" {
		return e.host
	}
	return hostSTS
}

// isName tells whether a text consists of letters, digits and some other characters, so that it cannot turn a host
// into something else.
func isName(text, others string) bool {
	for _, c := range []byte(text) {
		isLetter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !isLetter && (c < '0' || c > '9') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}
