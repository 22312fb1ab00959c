// Package ecsemu is a wire-compatible emulator of the parts of the Alibaba Cloud ECS and STS APIs that deal with
// security groups.
//
// It speaks HTTP as the cloud does: RPC-style requests with either signature, the documented bodies in JSON and XML, error
// codes, paging and quirks. Clients that were not written here can therefore be tested against it. It never imports
// the cloud SDK, so that nothing the SDK does can hide a mistake in it.
//
// This package is the server: connections, faults, quotas and the record. Below it, acs verifies signatures, wire reads
// parameters and writes answers, cloud holds what there is and carries calls out, ram decides what an identity may do, and
// estates reads, writes and makes up estates.
//
// In a test:
//
//	emulator := ecsemu.Start(t, &ecsemu.Estate{Regions: []ecsemu.Region{{ID: "cn-hangzhou", Groups: groups}}})
//	client := newClient(emulator.URL, ecsemu.DefaultKeyID, ecsemu.DefaultKeySecret)
//
// In a program, [New] and [Server.Serve]. One port answers plain HTTP and TLS, and one address serves every region
// and both products: the RegionId parameter says which region is meant, the Version parameter which product.
//
// What it holds is an [Estate]: loaded from YAML with [estates.Load], built in Go, or made by [estates.Generate]. It is
// an administrative fiat, and may hold what the API would refuse to create (a legacy priority of 110, ports the wrong
// way round, a creation time that is no time), because real accounts hold such things as well. It must not be changed
// once it was handed to [New].
//
// It emulates the API of today. [Options.Era] goes back to earlier ones.
//
// What it was asked is kept: [Server.Requests], or GET /_emulator/requests. It misbehaves on demand:
// [Server.SetFaults], or POST /_emulator/faults; see [Fault]. What is below /_emulator/ asks for no key: serve on loopback
// only. Its description is openapi.json.
//
// Where the published documents are silent or contradict each other, the comment at the place says what was chosen.
package ecsemu
