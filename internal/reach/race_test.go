//go:build race

package reach_test

// fewerIfRacing divides the number of rule lists: the race detector makes the oracle eight times slower, and there is
// one goroutine. `make test` tries all of them without it.
const fewerIfRacing = 10
