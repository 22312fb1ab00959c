package cloud

// Estate is what one account holds, and what further accounts hold.
type Estate struct {
	Account string // Its ID; DefaultAccount if empty.
	Name    string // Its login name, by which rules of other accounts may name it. May be empty.
	Regions []Region
	Keys    []AccessKey // Without Account: it is this one.
	Users   []User
	Roles   []Role
	Others  []Estate // Further accounts. Only the first estate may have others.
	// ResourceGroups are the IDs of its resource groups, without the default one. None: any rg- ID is one.
	ResourceGroups []string
}

// Region is a region of an estate. The account sees exactly the regions its estate names.
type Region struct {
	ID          string
	VPCs        []VPC
	PrefixLists []PrefixList
	PortLists   []PortList
	Groups      []Group
	Interfaces  []Interface
	// GroupQuota is how many groups it may have in the end. 0 is 1000, or twice as many as it starts with.
	GroupQuota int
}

// VPC is a virtual private cloud. A region that names none has those of its groups or, without any groups, takes any ID.
type VPC struct {
	ID          string
	Name        string
	CIDR        string
	Description string
	Created     string
	Default     bool
	VSwitches   []string // Their IDs.
}

// Interface is an elastic network interface.
type Interface struct {
	ID       string
	Name     string
	VPC      string
	VSwitch  string
	Private  string   // Its primary IPv4 address.
	Groups   []string // IDs of the groups that it is in.
	Instance string   // The ID of the instance that it is attached to, if any.
	Type     string   // Primary or Secondary; Secondary if empty.
	Created  string
	// Secondaries are further IPv4 addresses, and IPv6 its IPv6 ones.
	Secondaries   []string
	IPv6          []string
	Description   string
	MAC           string
	Zone          string
	ResourceGroup string
	Managed       bool // Owned by a cloud service.
	Tags          map[string]string
}

// PortList is a named list of ports that rules may have instead of ports of their own.
type PortList struct {
	ID          string
	Name        string
	MaxEntries  int // How many rules a rule with this list counts for; len(Entries) if 0.
	Description string
	Entries     []PortEntry
	Created     string
	// ResourceGroup is empty for the default one.
	ResourceGroup string
	Tags          map[string]string
}

// PortEntry is one range of a port list, as 80/80.
type PortEntry struct {
	Ports       string
	Description string
}

// PrefixList is a named list of networks that rules may have as their destination.
type PrefixList struct {
	ID          string
	Name        string
	Family      string // IPv4 or IPv6; IPv4 if empty.
	MaxEntries  int    // How many rules a rule with this list counts for; len(Entries) if 0.
	Description string
	Entries     []Entry
	Created     string // As it is told, mostly without seconds: 2021-02-20T07:11Z.
	// ResourceGroup is empty for the default one.
	ResourceGroup string
	Tags          map[string]string
}

// Entry is one network of a prefix list. It is told as it is written here.
type Entry struct {
	CIDR        string
	Description string
}

// Types of a security group. Basic groups are normal, advanced ones enterprise.
const (
	TypeNormal     = "normal"
	TypeEnterprise = "enterprise"
)

// Group is a security group.
type Group struct {
	ID            string
	Name          string
	Type          string // TypeNormal if empty.
	VPC           string // Empty: the group is in the classic network.
	Description   string
	Managed       bool // Owned by a cloud service; the account may not change its rules.
	ResourceGroup string
	Created       string
	Tags          map[string]string
	InnerAccess   string // Accept or Drop; if empty, what the type starts with.
	Egress        []Rule
	Ingress       []Rule
}

// Rule is a rule of either direction. Its peer is the far side: what an egress rule leads to, and where an ingress rule's
// traffic comes from. Texts are told as they are written here, but that known protocols are told in upper case and
// the policies accept and drop with a capital.
type Rule struct {
	ID          string // Made up if empty, unless NoID is set.
	NoID        bool   // The rule is told without an ID, as rules once were.
	Protocol    string
	Ports       string // "443/443"; "-1/-1" if empty and the protocol has no ports.
	PortList    string // A prl- ID, instead of Ports.
	Peer        string // A CIDR or address, or the ID of a group (sg-) or prefix list (pl-). May be empty.
	PeerAccount string // The account of the group Peer, if it is another one.
	Policy      string // accept if empty.
	Priority    int    // 1 if 0.
	NIC         string // If empty, intranet in a VPC and internet in the classic network.
	Description string
	Created     string
	Own         string // A CIDR or address on the group's own side, of a rule by five-tuple; empty for any.
	SourcePorts string

	kind destination // What Peer is, by the parameter it was given in; toNothing if only its text can tell.
}

// complete gives a copy of a group with its defaults filled in. Its rules are copied only if one of them has to be changed.
func (g *Group) complete(newRuleID func() string) *Group {
	twin := *g
	g = &twin
	if g.Type == "" {
		g.Type = TypeNormal
	}
	if g.InnerAccess == "" {
		g.InnerAccess = "Accept"
		if g.Type == TypeEnterprise {
			g.InnerAccess = "Drop"
		}
	}
	g.Egress = completeRules(g.Egress, g.VPC != "", newRuleID)
	g.Ingress = completeRules(g.Ingress, g.VPC != "", newRuleID)
	return g
}

func completeRules(rules []Rule, vpc bool, newRuleID func() string) []Rule {
	copied := false
	for i := range rules {
		if rules[i].isComplete() {
			continue
		}
		if !copied {
			rules, copied = append([]Rule(nil), rules...), true
		}
		rules[i].complete(vpc, newRuleID)
	}
	return rules
}

func (r *Rule) isComplete() bool {
	return (r.ID != "" || r.NoID) && r.Policy != "" && r.Priority != 0 && r.NIC != "" &&
		(r.Ports != "" || r.PortList != "" || HasPorts(r.Protocol))
}

func (r *Rule) complete(vpc bool, newRuleID func() string) {
	if r.ID == "" && !r.NoID {
		r.ID = newRuleID()
	}
	if r.Policy == "" {
		r.Policy = PolicyAccept
	}
	if r.Priority == 0 {
		r.Priority = 1
	}
	if r.NIC == "" {
		r.NIC = NicInternet
		if vpc {
			r.NIC = NicIntranet
		}
	}
	if r.Ports == "" && r.PortList == "" && !HasPorts(r.Protocol) {
		r.Ports = PortsAll
	}
}

// Words of the API that more than one file needs.
const (
	PolicyAccept = "accept"
	PolicyDrop   = "drop"
	NicIntranet  = "intranet"
	NicInternet  = "internet"
	PortsAll     = "-1/-1"
	FamilyIPv4   = "IPv4"
	FamilyIPv6   = "IPv6"
)
