package ecsemu_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu/estates"
)

// BenchmarkDescribeRules asks for groups of 200 rules, one after the other, over a connection that is kept.
func BenchmarkDescribeRules(b *testing.B) {
	estate := estates.Generate(estates.GenerateOptions{Seed: 1, Groups: 50, RulesPerGroup: 200, FindingShare: 0.25})
	r := ecsemu.Start(b, estate, atStoppedClock)
	groups := estate.Regions[0].Groups
	i := 0
	for b.Loop() {
		query := signed(http.MethodPost, ecsemu.DefaultKeySecret, common(attributeAction,
			params("RegionId", "cn-hangzhou", "SecurityGroupId", groups[i%len(groups)].ID)))
		request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, r.URL+"/?"+query.Encode(), strings.NewReader(""))
		if err != nil {
			b.Fatal(err)
		}
		response, err := r.Client.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			b.Fatalf("got %d, error %v", response.StatusCode, err)
		}
		_ = response.Body.Close()
		b.SetBytes(n)
		i++
	}
}
