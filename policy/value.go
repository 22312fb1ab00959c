package policy

// value is the truth of a clause about a rule. There are five, since what a clause cannot decide is treated
// differently: an exception whose clause could not be read must be assumed to apply, one that does not speak of the
// rule must not.
type value uint8

const (
	// silent: the clause cannot speak of the rule at all (another family, ports of ICMP). It is never true, also not
	// under `not`.
	silent value = iota
	no
	// unread: what the clause compares could not be read (an unresolved list, a missing time).
	unread
	// badExpiry: an expiry date stands there and cannot be understood.
	badExpiry
	yes
)

// not is the value of the opposite clause. What is not known stays so.
func (v value) not() value {
	switch v {
	case no:
		return yes
	case yes:
		return no
	case silent, unread, badExpiry:
	}
	return v
}

func truth(b bool) value {
	if b {
		return yes
	}
	return no
}

// assumption is how unreadable expiry dates are taken.
type assumption bool

const (
	asRead   assumption = false // unreadable is unknown
	datePast assumption = true  // as if the date had passed
)
