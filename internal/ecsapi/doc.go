// Package ecsapi reads security groups and their egress rules from Alibaba Cloud ECS, and sends the two calls that
// change rules. It is the only importer of the cloud's SDK.
//
// Make a [Client] with [New] for one set of credentials and use it from any number of goroutines:
//
//	client, err := ecsapi.New(ecsapi.Options{Credentials: credentials, Now: time.Now})
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	page, err := client.Rules(ctx, region, groupID, sg.NICIntranet, "")
//
// # Calls
//
// A call first waits for its turn: one paced bucket per region and action holds the quota that an account shares with
// its console and its other tools. Then it borrows one of the few SDK clients of its region, since one SDK client must
// not serve two calls at once, and since a region that hangs must not keep others waiting. Reads that fail in passing
// are repeated twice with backoff; a throttled read waits, together with all others of its bucket, for the next window
// of the cloud.
//
// A write is never repeated, neither here nor below. It goes on a connection of its own through a gate that opens for
// its first byte, once, and not after the time that the caller gave: so it is known of every write whether it cannot
// have been sent. See [Client.Write].
//
// The SDK signs and sends; it is never shown what came back. Answers are read, bounded and decoded here.
//
// # Errors
//
// Every method fails with an [*Error]. Its [Class] says what may be done about it, and [errors.Is] knows
// [sg.ErrGroupGone], [sg.ErrThrottled], [sg.ErrDenied] and the errors of an ended context. The text of an Error never
// holds a credential, a signature or a URL.
//
// # Memory
//
// Texts in results are parts of the answer they came in. Who keeps one text of a page keeps the whole page: callers
// that hold on to a few values must clone them (strings.Clone).
package ecsapi
