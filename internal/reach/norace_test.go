//go:build !race

package reach_test

const fewerIfRacing = 1
