package sg

// Class is what an answer of the cloud means to the caller: what may be done next. The values are labels of metrics.
// The adapter gives every answer one.
type Class string

// The classes of answers.
const (
	// ClassOK is an answer that was read whole.
	ClassOK Class = "ok"
	// ClassGone says that a rule is not there; to be believed only after a look.
	ClassGone Class = "gone"
	// ClassGroupGone says that the security group is not there.
	ClassGroupGone Class = "group-gone"
	// ClassPeerGone says that what a rule refers to is not there; it says nothing about the rule.
	ClassPeerGone Class = "peer-gone"
	// ClassProtected says that a cloud service owns the group.
	ClassProtected Class = "protected"
	// ClassThrottled says that the quota is used up until the next window.
	ClassThrottled Class = "throttled"
	// ClassDenied says that the credentials are wrong or may not do this. Repeating cannot help.
	ClassDenied Class = "denied"
	// ClassInvalid says that the call itself is wrong: a fault of this program or of its configuration.
	ClassInvalid Class = "invalid"
	// ClassIdempotency says that a client token was used for another call before.
	ClassIdempotency Class = "idempotency"
	// ClassInProgress says that the cloud is still at work on an earlier call.
	ClassInProgress Class = "in-progress"
	// ClassTransient says that the outcome is unknown: a fault of the cloud or of the way to it, or an unknown code.
	ClassTransient Class = "transient"
	// ClassCancelled says that the caller's context ended first.
	ClassCancelled Class = "cancelled"
	// ClassUnsent says that nothing was sent, since it was too late to.
	ClassUnsent Class = "unsent"
)

// GroupRef names a security group. The account is the name that the config gives it.
type GroupRef struct {
	Account string
	Region  string
	Group   string
}
