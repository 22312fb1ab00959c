package reach_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// given is chance that a fuzzer decides about, as long as its bytes last.
type given struct {
	bytes []byte
	after *rand.PCG
}

// Uint64 implements [rand.Source]. A byte decides high and low bits: [rand.Rand.IntN] goes by the low ones for powers of two,
// and by the high ones otherwise.
func (g *given) Uint64() uint64 {
	if len(g.bytes) == 0 {
		return g.after.Uint64()
	}
	b := g.bytes[0]
	g.bytes = g.bytes[1:]
	return uint64(b)<<56 | 1<<55 | uint64(b)
}

// FuzzEffect holds lists that the fuzzer makes up against the oracle, in every way of asking.
func FuzzEffect(f *testing.F) {
	for seed := range uint64(16) {
		f.Add(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, seed*0x9e3779b97f4a7c15), seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		w := draw(rand.New(&given{data, rand.NewPCG(1, 1)}))
		want := w.truth()
		for name, ask := range ways() {
			if wrong := w.compare(want, ask(w)); wrong != nil {
				t.Errorf("%s: %v\n%s", name, wrong, w)
			}
		}
	})
}
