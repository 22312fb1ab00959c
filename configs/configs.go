// Package configs holds the samples that the product ships: a configuration of the daemon, policies, and an estate
// for the emulator. They are one story: the policies judge the estate, and every decision that this version can come
// to occurs in it at least once, but for those about what could not be read whole. The demo runs on them, and they are
// the files to copy from.
//
// Everything is embedded; [FS] has it as it lies in this directory:
//
//	egress-janitor.yaml         the configuration (internal/config); its policies are policies/
//	policies/*.yaml             policy files (policy), each complete in itself
//	policies/feeds/threats.txt  a set that a policy file reads
//	estate.yaml                 three regions of account 1234567890123456 (internal/ecsemu)
//
// What they come to must not depend on the day: a date in them is either past for good or after 2035, and no age
// comes of age. The tests hold the result fixed from 2026 to 2035.
package configs

import "embed"

// Names in [FS].
const (
	Config   = "egress-janitor.yaml"
	Policies = "policies" // a directory; it is what policy.Load takes
	Estate   = "estate.yaml"
)

//go:embed egress-janitor.yaml estate.yaml policies
var files embed.FS

// FS is the sample files. It is read-only and safe for concurrent use.
func FS() embed.FS { return files }
