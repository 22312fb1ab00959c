// Package daemon runs sweeps by a schedule and settles what is open, until it is told to stop.
//
// Run loads a Generation, which is what one reading of configuration and policies gave, and then does three things at
// once until its context ends:
//
//   - Sweeps. River enqueues one job per account when the schedule fires, and works it here. A job is only a wake-up:
//     whether a sweep is due is asked of the store, before the job is enqueued and again under the account's lock. An
//     account is due if the schedule fires between its last sweep that was not interrupted and now. So a tick that
//     nobody was there for is caught up once, several of them too, and a job that is lost, late or doubled does no harm.
//   - Settling. Every SettleEvery, and at start, every account with open revocations or restores is settled if its lock
//     is free. This does not wait for River, whose leadership may take 18 s to pass on after a crash.
//   - Reloading, when Reload or POST /-/reload asks for it. If that fails everything stays as it is. Otherwise running
//     sweeps end with the generation that they began with, and it is closed when its last user is done.
//
// Within the process an account is worked on by one sweep or one settling at a time. A sweep waits for the settling of
// its account. A tick that comes while the account is still being swept is left out (Observer.Skipped). A tick that
// comes while another process has the account's lock is tried again every SettleEvery.
//
// Times are compared by the wall clock. If it is set back, sweeps wait until it has passed the last one again,
// but no longer than a day: a clock that was wrong by more than that must not keep accounts from being swept.
// Schedules without a time zone are read in UTC.
//
// When its context ends Run takes no more work, ends the context of the work that is running, and waits for it as long
// as Drain. A second daemon on the same store has to be kept away by the caller.
package daemon
