// Package store is the memory of egress-janitor: sweeps with what they found, the revocations that they decided on, the
// calls that carry these, restores, clocks of grace, the switches that hold everything back, and the audit log. It also
// keeps what policies are made of: their files by the hash of the set ([SQL.RecordPolicies]), the last good copies of the
// feeds that their sets come from ([SQL.SaveFeedCopy]), what sets held when they were last used ([SQL.UseSets]), and since
// when rules that a baseline may tolerate have been there ([sweep.Commit]).
//
// There are two implementations with the same methods: [SQL], which keeps everything in one SQLite file and is durable
// when a method returns, and [Memory], its twin for tests and simulation, which forgets. One conformance suite runs
// against both.
//
//	s, err := store.Open(ctx, store.Options{Path: "egress-janitor.db", Now: time.Now})
//	release, err := s.LockAccount(ctx, "prod", time.Minute) // who works on an account holds its lock
//	keys, err := s.Start(ctx, start)
//	err = s.Commit(ctx, result, decide)
//	work, err := s.Open(ctx, "prod")                        // what is to be carried out
//
// What every caller can rely on:
//
//   - Intent first: [SQL.Record] returns only when the call, with its exact parameters, is on the disk. It refuses a
//     call for a revocation that is not open, and any revoking call while [Switches.Hold] says that nothing may be
//     revoked.
//   - A rule instance has at most one open revocation, by a unique index; a revocation gets one outcome, ever. The one
//     exception is [SQL.Amend].
//   - Every change of state appends to the audit log in the same transaction, but for copies of feeds: what a set held
//     when it was used is in the log. Entries are chained by their hashes, and triggers refuse to change or delete one.
//     After the commit the head of the log goes to a checkpoint file beside the database, so that a database that was
//     deleted, or put back from a copy, is noticed: see [Switches.Behind].
//   - A new store is not armed: nothing is revoked before a person says so with Resume.
//
// All times are kept in UTC to the microsecond. Methods are safe for concurrent use, and SQL has a single connection,
// which it shares with whoever uses [SQL.DB]: never call the store from within a transaction on it, nor from the
// function that is given to Commit.
package store
