package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

func decodeEndpoint(value strictyaml.Value) string {
	text, ok := value.String()
	if !ok {
		return ""
	}
	if err := checkEndpoint(text); err != nil {
		value.Problem(CodeEndpoint, "%v", err)
		return ""
	}
	return text
}

// checkEndpoint takes a scheme, a host and a port and nothing more. Its errors never repeat the text, which may hold
// a password if it was pasted with one.
func checkEndpoint(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("expected a URL such as https://ecs.example.com:8443")
	case u.User != nil:
		return errors.New("the endpoint holds a user name; credentials come from the environment")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("expected an endpoint that begins with https:// (or http:// on loopback), found the scheme %q",
			u.Scheme)
	case u.Hostname() == "":
		return errors.New("the endpoint has no host")
	case text != u.Scheme+"://"+u.Host:
		return errors.New("expected nothing but scheme, host and port; the path, query or fragment must go")
	case !validPort(u):
		return fmt.Errorf("expected a port from 1 to 65535, found the host %q", u.Host)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return fmt.Errorf("plain http to %q would show every request to the network; use https "+
			"(http is for loopback only)", u.Hostname())
	}
	return nil
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return u.Host[len(u.Host)-1] != ':'
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}
