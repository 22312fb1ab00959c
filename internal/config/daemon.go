package config

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/egress-janitor/egress-janitor/internal/strictyaml"
)

const sqliteScheme = "sqlite:"

func (c *Config) decodeStore(value strictyaml.Value) {
	text, ok := value.String()
	if !ok {
		return
	}
	scheme, path, _ := strings.Cut(text, ":")
	switch {
	case scheme == "postgres" || scheme == "postgresql":
		// The text is not repeated: it may hold a password.
		value.Problem(strictyaml.CodeNotYet, "a store in PostgreSQL is not supported yet; write sqlite:PATH")
	case scheme+":" != sqliteScheme:
		value.Problem(CodeValue, "expected a store such as sqlite:egress-janitor.db")
	case strings.HasPrefix(path, "//"):
		value.Problem(CodeValue, "expected a path right after sqlite:, as in sqlite:/var/lib/egress-janitor/janitor.db")
	case strings.TrimSpace(path) == "" || strings.HasSuffix(path, "/"):
		value.Problem(CodeValue, "the store %q names no file", text)
	case strings.Contains(path, "?"):
		value.Problem(CodeValue, "a store has no options: the path %q must not have a question mark", path)
	case path == ":memory:":
		value.Problem(CodeValue, "a store in memory forgets what was revoked; name a file")
	default:
		c.Store = text
	}
}

// maxLimit bounds a limit that a file can spell: more is a slip of the pen.
const maxLimit = 1_000_000

func (l *Limits) decode(value strictyaml.Value) {
	limits, ok := value.Map(strictyaml.Keys{Optional: []string{"per-group", "per-sweep", "percent", "per-window"}})
	if !ok {
		return
	}
	for key, value := range limits.All() {
		switch key {
		case "per-group":
			l.PerGroup, _ = value.Int(0, maxLimit)
		case "per-sweep":
			l.PerSweep, _ = value.Int(0, maxLimit)
		case "percent":
			l.Percent, _ = value.Int(0, 100)
		case "per-window":
			l.PerWindow, _ = value.Int(0, maxLimit)
		}
	}
}

func decodeFile(value strictyaml.Value) string {
	text, ok := value.String()
	if ok && strings.HasSuffix(text, "/") {
		value.Problem(CodeValue, "expected a file, found the directory %q", text)
		return ""
	}
	return text
}

func (h *HTTP) decode(value strictyaml.Value) {
	keys := strictyaml.Keys{Optional: []string{"metrics"}, NotYet: []string{"console", "web-config"}}
	addresses, ok := value.Map(keys)
	if !ok {
		return
	}
	if metrics, ok := addresses.Get("metrics"); ok {
		h.Metrics = decodeListen(metrics)
	}
}

func decodeListen(value strictyaml.Value) string {
	text, ok := value.String()
	if !ok {
		return ""
	}
	if err := checkListen(text); err != nil {
		value.Problem(CodeValue, "%v", err)
		return ""
	}
	return text
}

var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)

// checkListen takes host:port. Any host may be named: a cluster reads metrics over its network.
func checkListen(text string) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return fmt.Errorf("expected host:port such as 127.0.0.1:9464, found %q", text)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("expected a port from 0 to 65535, found %q", text)
	}
	if _, err := netip.ParseAddr(host); host != "" && err != nil && !hostName.MatchString(host) {
		return fmt.Errorf("expected an address or a host name before the port, found %q", host)
	}
	return nil
}
