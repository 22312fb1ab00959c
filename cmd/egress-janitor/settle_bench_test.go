package main

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/egress-janitor/egress-janitor/internal/config"
	"github.com/egress-janitor/egress-janitor/internal/decision"
	"github.com/egress-janitor/egress-janitor/internal/ecsapi"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/store"
	"github.com/egress-janitor/egress-janitor/internal/sweep"
	"github.com/egress-janitor/egress-janitor/policy"
	"github.com/egress-janitor/egress-janitor/revoker"
	"github.com/egress-janitor/egress-janitor/scanner"
)

const (
	benchGroups  = 50
	benchRules   = 100 // in each group
	benchLatency = 20 * time.Millisecond
)

// BenchmarkSettle settles 5,000 revocations in 50 groups through the real SDK, store and emulator, whose answers take 20
// ms each. It reports how much longer that takes than the bare calls that no proof can do without, at the same
// concurrency: read each group, revoke, read again. Latency bounds both, so the ratio holds on a slow machine too.
func BenchmarkSettle(b *testing.B) {
	var ours, bare time.Duration
	for b.Loop() {
		w := benchWorker(b)
		began := time.Now()
		settled, err := sweep.Settle(b.Context(), w.settling(b.Context()))
		ours += time.Since(began)
		if err != nil || len(settled.Endings) != benchGroups*benchRules {
			b.Fatalf("%d revocations ended, error %v", len(settled.Endings), err)
		}
		bare += bareRevocation(b)
	}
	b.ReportMetric(ours.Seconds()/bare.Seconds(), "x-bare")
	b.ReportMetric(0, "ns/op") // what is measured is the ratio
}

// benchEmulator serves an estate of rules that all violate.
func benchEmulator(b *testing.B) *ecsapi.Client {
	b.Helper()
	estate := &ecsemu.Estate{Account: ecsemu.DefaultAccount, Regions: []ecsemu.Region{{ID: "cn-hangzhou"}}}
	for g := range benchGroups {
		group := ecsemu.Group{ID: fmt.Sprintf("sg-bench%02d", g), Name: "bench", VPC: "vpc-1"}
		for r := range benchRules {
			group.Egress = append(group.Egress, ecsemu.Rule{
				ID: fmt.Sprintf("sgr-%02d-%03d", g, r), Protocol: "tcp", Ports: "443/443", Peer: fmt.Sprintf("198.51.100.%d", r),
			})
		}
		estate.Regions[0].Groups = append(estate.Regions[0].Groups, group)
	}
	server, err := ecsemu.New(ecsemu.Options{Estate: estate, Latency: benchLatency})
	if err != nil {
		b.Fatal(err)
	}
	client, err := ecsapi.New(ecsapi.Options{
		Endpoint: serveEmulator(b, server), Now: time.Now, Quotas: benchQuotas(),
		Credentials: ecsapi.Credentials{KeyID: ecsemu.DefaultKeyID, Secret: ecsemu.DefaultKeySecret},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	return client
}

func benchQuotas() map[string]float64 {
	quotas := map[string]float64{revoker.ActionRevoke: 1e6}
	for action := range ecsapi.DefaultQuotas() {
		quotas[action] = 1e6
	}
	return quotas
}

// benchWorker has a sweep decide that everything goes.
func benchWorker(b *testing.B) *worker {
	b.Helper()
	set, err := policy.Load(fstest.MapFS{"p.yaml": {Data: []byte(`version: 1
policies:
  - name: all
    description: Nothing may stay.
    severity: low
    owner: a@example.com
    groups: all
    match: {every-rule: true}
    action: revoke
    grace: 0s
`)}}, []string{"p.yaml"})
	if err != nil {
		b.Fatal(err)
	}
	all := benchGroups * benchRules
	sys := system{out: &bytes.Buffer{}, err: &bytes.Buffer{}, now: time.Now}
	w := &worker{
		engine: &engine{system: sys, policies: set, config: &config.Config{
			Mode: config.ModeEnforce, Limits: config.Limits{PerGroup: all, PerSweep: all, Percent: 100, PerWindow: all},
		}},
		account: config.Account{Name: "prod", ID: ecsemu.DefaultAccount, Regions: []string{"cn-hangzhou"}},
		client:  benchEmulator(b),
	}
	w.store, err = store.Open(b.Context(), store.Options{Path: filepath.Join(b.TempDir(), "store.db"), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = w.store.Close() })
	if err := w.store.Resume(b.Context(), "bench", "bench"); err != nil {
		b.Fatal(err)
	}
	for _, why := range []string{decision.DryRun, ""} {
		if _, err := w.sweep(b.Context(), &attempt{order: w.order(revoker.BySchedule, "bench", why)}); err != nil {
			b.Fatal(err)
		}
	}
	return w
}

// bareRevocation does what has to be done at least, with nothing recorded and nothing decided.
func bareRevocation(b *testing.B) time.Duration {
	b.Helper()
	client := benchEmulator(b)
	began := time.Now()
	queue := make(chan string)
	var workers sync.WaitGroup
	for range sweep.DefaultWorkers {
		workers.Go(func() {
			for id := range queue {
				bareGroup(b, client, id)
			}
		})
	}
	for g := range benchGroups {
		queue <- fmt.Sprintf("sg-bench%02d", g)
	}
	close(queue)
	workers.Wait()
	return time.Since(began)
}

func bareGroup(b *testing.B, client *ecsapi.Client, id string) {
	b.Helper()
	region := sg.Region{ID: "cn-hangzhou"}
	read := func() *scanner.Group {
		g, _, err := scanner.ReadGroup(b.Context(), scanner.Options{
			Groups: client, Rules: client, Regions: []string{region.ID},
		}, region, id)
		if err != nil {
			b.Error(err)
			return &scanner.Group{}
		}
		return g
	}
	write := &ecsapi.Write{
		Action: revoker.ActionRevoke, Region: region, NotAfter: time.Now().Add(time.Minute),
		Parameters: map[string]string{"RegionId": region.ID, "SecurityGroupId": id, "ClientToken": rand.Text()},
	}
	for i, rule := range read().Rules {
		write.Parameters[fmt.Sprintf("SecurityGroupRuleId.%d", i+1)] = rule.ID
	}
	if _, err := client.Write(b.Context(), write); err != nil {
		b.Error(err)
	}
	if left := len(read().Rules); left > 0 {
		b.Errorf("%s has %d rules left", id, left)
	}
}
