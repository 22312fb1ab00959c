package policy

// relation is how a rule's value, a set D, is compared with a list whose union is S.
type relation uint8

const (
	overlaps relation = iota // D and S have something in common
	within                   // D is part of S
	outside                  // D is not part of S
	covers                   // D holds at least one element of S
	equals                   // D is one element of S
)

// relationNames are the keys of a policy file, in the order in which they are evaluated and reported.
func relationNames() []string { return []string{"overlaps", "within", "outside", "covers", "equals"} }

func (r relation) String() string { return relationNames()[r] }
