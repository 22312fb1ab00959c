// Package snapshot keeps what a scan read of one account, so that policies can be tried on it later.
//
// A snapshot is lines of JSON, each an object with one key that says what the line is:
//
//	{"header": {"schemaVersion": 1, "kind": "egress-janitor snapshot", "account": {…}, "started": …, "program": …}}
//	{"prefixList": {"region": …, "id": …, "entries": […]}}
//	{"portList": {"region": …, "id": …, "ranges": […]}}
//	{"interfaces": {"region": …, "combinations": [{"groups": […], "interfaces": …, "instances": …}]}}
//	{"group": {"region": …, "group": {…}, "rules": […], "incomplete": …}}
//	{"trailer": {"finished": …, "complete": …, "regions": […], "problems": […], "groups": …, "rules": …, "sha256": …}}
//
// The header is first and the trailer last. The interfaces of a region, if they were asked for, stand before its first
// group; they name how many interfaces are in which groups together. A list stands before the first group whose rules
// name it, once for each region; one that a rule names and that is not there was not read. Rules have the texts of the
// cloud, also those that were not understood, so that what is read back is what the scan saw ([Rule], [Group]: the forms
// that JSON reports and tests of policies share).
//
// The trailer has the counts, and the SHA-256 of every byte before its line: a snapshot that was cut, or changed by
// accident, is refused. It is no signature: who wants to deceive can compute it.
//
// [Writer] and [Read] hold one line at a time, so memory is bounded by the largest group. A snapshot names every group
// and rule of an account: keep it like the account's configuration.
package snapshot
