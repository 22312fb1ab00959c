package sg

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// PortRange is a range of ports, both ends included. The zero value is no range: not set, or not understood.
type PortRange struct {
	Low  uint16
	High uint16
}

// AllPorts is every port of TCP and UDP.
func AllPorts() PortRange { return PortRange{Low: 1, High: 65535} }

// IsZero tells whether there is no range.
func (r PortRange) IsZero() bool { return r == PortRange{} }

func (r PortRange) String() string {
	switch {
	case r.IsZero():
		return "-1/-1"
	default:
		return fmt.Sprintf("%d/%d", r.Low, r.High)
	}
}

// noPorts is how the cloud writes that ports do not apply.
const noPorts = "-1/-1"

var errPorts = errors.New("ports are written low/high, from 1 to 65535")

// ParseCloudPorts reads a port range as the cloud writes it for a protocol: "a/b" with 1 to 65535 for TCP and UDP,
// "-1/-1" where ports do not apply. Rules for all protocols have all ports, so -1/-1 is [AllPorts] there; for
// protocols without ports the result is the zero range.
// Source: AuthorizeSecurityGroupEgress, parameter PortRange.
func ParseCloudPorts(protocol Protocol, text string) (PortRange, error) {
	switch {
	case protocol == TCP || protocol == UDP:
		return parsePorts(text)
	case text != noPorts && text != "":
		return PortRange{}, fmt.Errorf("ports %q of protocol %s: expected %s", text, protocol, noPorts)
	case protocol == AllProtocols:
		return AllPorts(), nil
	default:
		return PortRange{}, nil
	}
}

// ParseCloudSourcePorts reads a source port range. Empty and "-1/-1" are unset: the zero range.
func ParseCloudSourcePorts(text string) (PortRange, error) {
	if text == "" || text == noPorts {
		return PortRange{}, nil
	}
	return parsePorts(text)
}

func parsePorts(text string) (PortRange, error) {
	low, high, ok := strings.Cut(text, "/")
	if !ok {
		return PortRange{}, fmt.Errorf("ports %q: %w", text, errPorts)
	}
	from, errLow := strconv.ParseUint(low, 10, 16)
	to, errHigh := strconv.ParseUint(high, 10, 16)
	if errLow != nil || errHigh != nil || from == 0 || from > to {
		return PortRange{}, fmt.Errorf("ports %q: %w", text, errPorts)
	}
	return PortRange{Low: uint16(from), High: uint16(to)}, nil
}
