package cloud

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// MissingRule is what the cloud makes of revoking a rule by an ID that its group does not have. It changed: until July
// 2024 such a call succeeded.
type MissingRule string

// What becomes of revoking a rule that is not there.
const (
	// MissingRuleError refuses the call with InvalidSecurityGroupRule.RuleNotExist, and nothing is removed. This is how
	// it is today.
	MissingRuleError MissingRule = "error"
	// MissingRuleSucceed lets the call succeed, and removes those of its rules that are there.
	MissingRuleSucceed MissingRule = "succeed"
)

// TokenScope is what ClientTokens are told apart by.
type TokenScope string

// Scopes of a ClientToken.
const (
	TokenPerAction  TokenScope = "action"  // Its account, region and action. This is assumed.
	TokenPerAccount TokenScope = "account" // Its account alone.
	TokenPerGroup   TokenScope = "group"   // Its account, region, action and group.
)

// GatewayOrder is in which order a request is checked, of whose checks several fail.
type GatewayOrder string

// Orders of the checks. The nonce is always last.
const (
	TimeKeySignature GatewayOrder = "time-key-signature" // This is assumed.
	KeyTimeSignature GatewayOrder = "key-time-signature"
	KeySignatureTime GatewayOrder = "key-signature-time"
)

// ListPorts is what PortRange holds in a rule with a port list.
type ListPorts string

// Ports of a rule with a port list.
const (
	ListPortsEmpty ListPorts = "empty" // Nothing. This is assumed.
	ListPortsAll   ListPorts = "all"   // -1/-1.
	ListPortsFirst ListPorts = "first" // The first range of the list.
)

// Era is the state of the API that is emulated, and how it is taken to be where the documents are silent. The zero value
// is that of today, where documents tell, and what is assumed where they do not. [Assumptions] says what each field is
// about, and [Era.Assume] sets fields by their names there.
type Era struct {
	// MissingRule is MissingRuleError if empty.
	MissingRule MissingRule
	// MissingParts is what becomes of revoking a rule by its parts that is not there. It is MissingRuleSucceed if
	// empty, as the documents say. MissingRuleError refuses the call with what the older tables of errors have beside
	// that (InvalidNicType.Mismatch, InvalidGroupAuthItem.NotFound) or else InvalidSecurityGroupRule.RuleNotExist, as
	// was observed of late.
	MissingParts MissingRule
	// NoRuleIDs goes back to before rules had IDs: answers do not tell any, and requests that name some are as if they
	// did not.
	NoRuleIDs bool
	// NoPageNumbers refuses listings by page numbers, which are being withdrawn.
	NoPageNumbers bool
	// VPCOnly is an account without the classic network: it may create groups in VPCs only.
	VPCOnly bool

	TokenLifetime    time.Duration // How long ClientTokens are remembered; 24 hours if 0.
	TokenScope       TokenScope    // TokenPerAction if empty.
	TokenRefusals    bool          // Refused calls take their ClientToken too: the refusal is repeated.
	PartialRevoke    bool          // A refused call has removed the rules before the bad one.
	PartialAuthorize bool          // A refused call has added the rules before the bad one.
	RuleIDsWin       bool          // Rule IDs win over parts of a rule beside them, which are ignored.
	ForeignSameVPC   bool          // Groups of other accounts must be in the same VPC to be peers.
	TextMatch        bool          // IPv4 addresses are the same if their texts are: 10.0.0.1/8 is not 10.0.0.0/8.

	PageTokenLifetime time.Duration // How long a NextToken is good; for ever if 0.
	PageTokenFilters  bool          // A NextToken is good only along with the filters that it was given for.
	NextRulePages     bool          // A NextToken of rules names the rule to go on at, and not its number.
	IngressFirst      bool          // Of both directions, ingress rules are told first.

	LowerCase       bool      // Protocols and policies are told in lower case.
	ProtocolNames   bool      // 1, 6, 17, 47 and 58 are other names of ICMP, TCP, UDP, GRE and ICMPv6.
	ListPorts       ListPorts // ListPortsEmpty if empty.
	MaskedCIDRs     bool      // IPv4 addresses of rules are told as networks, without the bits of hosts.
	TellOwnAccount  bool      // The account of a group of the own account is told too.
	PolicySourceOwn bool      // ecs:SecurityGroupSourceCidrIps is about the source of egress rules too.

	NonceMemory          time.Duration // How long nonces are remembered; if 0, the last 200,000 are.
	NoncesOfAll          bool          // A nonce that one key used is used for all keys.
	GatewayOrder         GatewayOrder  // TimeKeySignature if empty.
	SecurityTokenRefused bool          // InvalidSecurityToken.* has status 403, and not 400.
}

func (e *Era) validate() error {
	if err := e.MissingRule.validate("missing rule"); err != nil {
		return err
	}
	if err := e.MissingParts.validate("missing parts"); err != nil {
		return err
	}
	for _, a := range Assumptions() {
		switch {
		case a.word != nil && *a.word(e) != "" && !a.takes(*a.word(e)):
			return fmt.Errorf("emulator options: %s %q: expected %s", a.Name, *a.word(e), a.choices())
		case a.span != nil && *a.span(e) < 0:
			return fmt.Errorf("emulator options: %s %s: expected %s", a.Name, *a.span(e), a.choices())
		}
	}
	return nil
}

func (m MissingRule) validate(what string) error {
	switch m {
	case "", MissingRuleError, MissingRuleSucceed:
		return nil
	}
	return fmt.Errorf("emulator options: %s %q: expected %q or %q", what, string(m), MissingRuleError, MissingRuleSucceed)
}

func (e *Era) missingSucceeds() bool { return e.MissingRule == MissingRuleSucceed }

func (e *Era) missingPartsFail() bool { return e.MissingParts == MissingRuleError }

// protocol gives the protocol that a text is about.
func (e *Era) protocol(text string) string {
	if !e.ProtocolNames {
		return text
	}
	numbers := []string{"1", "icmp", "6", "tcp", "17", "udp", "47", "gre", "58", "icmpv6"}
	if at := slices.Index(numbers, text); at >= 0 && at%2 == 0 {
		return numbers[at+1]
	}
	return text
}

// spelled gives a protocol or policy as answers tell it.
func (e *Era) spelled(text string) string {
	if e.LowerCase {
		return strings.ToLower(text)
	}
	return text
}

// address gives an address of a rule as answers tell it.
func (e *Era) address(text string) string {
	if e.MaskedCIDRs && !strings.Contains(text, ":") {
		return meaning(text)
	}
	return text
}

// meaning gives what makes two addresses the same. IPv6 addresses are rewritten anyway.
func (e *Era) meaning(text string) string {
	if e.TextMatch && !strings.Contains(text, ":") {
		return text
	}
	return meaning(text)
}
