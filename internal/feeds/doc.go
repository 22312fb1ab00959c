// Package feeds keeps the last good copies of what URLs hold, for sets of addresses.
//
// A [Fetcher] asks the servers of the URLs that are due, and keeps what passes the check of whoever wants it. Contents that
// do not pass, an answer that is too long or cut, and a server that does not answer change nothing but the [State]: the last
// good copy stays. How long a copy may be used is not decided here.
//
// Only https is spoken, over redirects too. The package logs nothing, and what it says of an error has no query string and
// no credentials: both may be secrets. The clock is handed in, and so is where copies are kept.
package feeds
