package ecsemu

// Estate is what one account holds. See the package comment on what it may contain.
type Estate struct {
	Account string // DefaultAccount if empty.
	Regions []Region
}

// Region is a region of an estate. The account sees exactly the regions its estate names.
type Region struct {
	ID          string
	PrefixLists []PrefixList
	Groups      []Group
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
}

// Rule is an egress rule. Texts are told as they are written here, but that known protocols are told in upper case and
// the policies accept and drop with a capital.
type Rule struct {
	ID          string // Made up if empty, unless NoID is set.
	NoID        bool   // The rule is told without an ID, as rules once were.
	Protocol    string
	Ports       string // "443/443"; "-1/-1" if empty and the protocol has no ports.
	PortList    string // A prl- ID, instead of Ports.
	To          string // A CIDR or address, or the ID of a group (sg-) or prefix list (pl-). May be empty.
	ToAccount   string // The account of the group To, if it is another one.
	Policy      string // accept if empty.
	Priority    int    // 1 if 0.
	NIC         string // If empty, intranet in a VPC and internet in the classic network.
	Description string
	Created     string
	Source      string // A CIDR or address; empty for any.
	SourcePorts string

	kind destination // What To is, by the parameter it was given in; toNothing if only its text can tell.
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
	copied := false
	for i := range g.Egress {
		if g.Egress[i].isComplete() {
			continue
		}
		if !copied {
			g.Egress, copied = append([]Rule(nil), g.Egress...), true
		}
		g.Egress[i].complete(g.VPC != "", newRuleID)
	}
	return g
}

func (r *Rule) isComplete() bool {
	return (r.ID != "" || r.NoID) && r.Policy != "" && r.Priority != 0 && r.NIC != "" &&
		(r.Ports != "" || r.PortList != "" || hasPorts(r.Protocol))
}

func (r *Rule) complete(vpc bool, newRuleID func() string) {
	if r.ID == "" && !r.NoID {
		r.ID = newRuleID()
	}
	if r.Policy == "" {
		r.Policy = policyAccept
	}
	if r.Priority == 0 {
		r.Priority = 1
	}
	if r.NIC == "" {
		r.NIC = nicInternet
		if vpc {
			r.NIC = nicIntranet
		}
	}
	if r.Ports == "" && r.PortList == "" && !hasPorts(r.Protocol) {
		r.Ports = portsAll
	}
}

// Words of the API that more than one file needs.
const (
	policyAccept = "accept"
	policyDrop   = "drop"
	nicIntranet  = "intranet"
	nicInternet  = "internet"
	portsAll     = "-1/-1"
	familyIPv4   = "IPv4"
	familyIPv6   = "IPv6"
)
