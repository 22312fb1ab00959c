package sg

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Fields gives back the texts that a rule was made from, but for those that [NewRule] could not understand anyway: a
// rule that is unreadable is never recorded for revocation.
func (r *Rule) Fields() Fields {
	f := Fields{
		ID: r.ID, Protocol: r.Raw.Protocol, PortRange: r.Raw.PortRange, SourcePorts: r.Raw.SourcePorts,
		PortListID: r.PortListID, Policy: r.Raw.Action, Priority: r.Raw.Priority, NICType: r.NICType,
		Description: r.Description, Created: r.Raw.Created,
	}
	switch r.Destination.Kind {
	case CIDR4:
		f.CIDR4 = r.Destination.Text
	case CIDR6:
		f.CIDR6 = r.Destination.Text
	case PeerGroup:
		f.GroupID, f.GroupOwner = r.Destination.Text, r.Destination.Owner
	case FromList:
		f.PrefixListID = r.Destination.Text
	case NoDestination:
	}
	if strings.Contains(r.Source.Text, ":") {
		f.SourceCIDR6 = r.Source.Text
	} else {
		f.SourceCIDR4 = r.Source.Text
	}
	return f
}

// Fingerprint tells two states of a rule apart: it changes with every field that the cloud lists, the description and
// the ID included. The contents of a prefix list are not part of it.
func (r *Rule) Fingerprint() string {
	return hashFields(r.Fields())
}

// ContentKey recognises a rule that was created again: it is the [Rule.Fingerprint] without ID, creation time and
// description, and without regard to the case of words that the cloud spells in either.
func (r *Rule) ContentKey() string {
	f := r.Fields()
	f.ID, f.Created, f.Description = "", "", ""
	// An address can be spelled in several ways, and a rule that is created again may come back in another one.
	if r.Destination.CIDR.IsValid() {
		f.CIDR4, f.CIDR6 = r.Destination.CIDR.String(), ""
	}
	if r.Source.CIDR.IsValid() {
		f.SourceCIDR4, f.SourceCIDR6 = r.Source.CIDR.String(), ""
	}
	f.Protocol, f.Policy, f.NICType = strings.ToLower(f.Protocol), strings.ToLower(f.Policy), strings.ToLower(f.NICType)
	return hashFields(f)
}

// Key names a rule instance within its group: by its ID, or, for a rule of the time before IDs, by everything that is
// known of it, the creation time included.
func (r *Rule) Key() string {
	if r.ID != "" {
		return r.ID
	}
	return "content-" + r.Fingerprint()
}

func hashFields(f Fields) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", []string{
		f.ID, f.Protocol, f.PortRange, f.SourcePorts, f.PortListID, f.CIDR4, f.CIDR6, f.GroupID, f.GroupOwner,
		f.PrefixListID, f.SourceCIDR4, f.SourceCIDR6, f.Policy, f.Priority, f.NICType, f.Description, f.Created,
	}))
	return hex.EncodeToString(sum[:])
}
