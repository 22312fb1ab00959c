package sg

// Interface is a network interface, as far as it matters to what rules do: the rules of all its groups are merged.
type Interface struct {
	ID       string
	Instance string   // the instance that it is attached to; empty if it is not
	Groups   []string // IDs, sorted
}
