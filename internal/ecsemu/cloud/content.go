package cloud

import (
	"net/netip"
	"strings"
)

// destination is the kind of what a rule has as its peer.
type destination int

const (
	toNothing destination = iota
	toIPv4
	toIPv6
	toGroup
	toPrefixList
)

// destination tells what the peer of a rule is: what the API was told, or else what the text looks like.
func (r *Rule) destination() destination {
	switch {
	case r.kind != toNothing:
		return r.kind
	case r.Peer == "":
		return toNothing
	case strings.HasPrefix(r.Peer, "sg-"):
		return toGroup
	case strings.HasPrefix(r.Peer, "pl-"):
		return toPrefixList
	case strings.Contains(r.Peer, ":"):
		return toIPv6
	}
	return toIPv4
}

// content is what makes two rules of one direction the same: everything but ID, description and time. Which parts the
// cloud compares is not documented. Addresses are compared by what they mean, unless [Era.TextMatch] says otherwise, and
// accounts by their IDs.
func (c *call) content(r *Rule) Rule {
	twin := *r
	twin.kind = twin.destination()
	twin.PeerAccount = c.peerAccount(r)
	twin.ID, twin.NoID, twin.Description, twin.Created = "", false, "", ""
	twin.Protocol = strings.ToLower(c.era.protocol(r.Protocol))
	twin.Policy, twin.NIC = strings.ToLower(r.Policy), strings.ToLower(r.NIC)
	twin.Own = c.era.meaning(r.Own)
	if twin.kind == toIPv4 || twin.kind == toIPv6 {
		twin.Peer = c.era.meaning(r.Peer)
	}
	return twin
}

// contents gives where in a list the rules of each content are.
func (c *call) contents(rules []Rule) map[Rule][]int {
	places := make(map[Rule][]int, len(rules))
	for i := range rules {
		content := c.content(&rules[i])
		places[content] = append(places[content], i)
	}
	return places
}

// peerAccount gives the account of a rule's peer by its ID, or by its name if nothing else is known of it. It is empty
// for the account of the caller.
func (c *call) peerAccount(r *Rule) string {
	account := r.PeerAccount
	if account != "" && !IsAccountID(account) {
		if known := c.world.named(account); known != nil {
			account = known.id
		}
	}
	if account == c.account.id {
		return ""
	}
	return account
}

// meaning gives an address or CIDR in the one form that everything equal to it has; other texts stay as they are.
func meaning(text string) string {
	if text == "" {
		return ""
	}
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return prefix.Masked().String()
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()).String()
	}
	return text
}
