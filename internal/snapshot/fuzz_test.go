package snapshot_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/snapshot"
)

// FuzzRule gives the fields of a rule as the cloud may send them: whatever they are, what is read back is what was read.
func FuzzRule(f *testing.F) {
	for _, seed := range []string{
		"sgr-1|tcp|443/443|-1/-1||10.0.0.0/8||||||||accept|1|intranet|note|2026-01-02T03:04:05Z",
		"|ALL|-1/-1||||::/0|||||||Drop|110|INTERNET||",
		"sgr-2|47|||prl-1|||||pl-1||||perhaps|+1|x||",
		"sgr-3|tcp|1/2||||10.0.0.0/8|sg-1|42|||fd00::/8|sg-9|accept|01|||",
		"||||||||||||||0|||",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parts := strings.Split(text, "|")
		if len(parts) != 18 || !utf8.ValidString(text) {
			return
		}
		fields := sg.Fields{
			ID: parts[0], Protocol: parts[1], PortRange: parts[2], SourcePorts: parts[3], PortListID: parts[4], CIDR4: parts[5],
			CIDR6: parts[6], GroupID: parts[7], GroupOwner: parts[8], PrefixListID: parts[9], SourceCIDR4: parts[10],
			SourceCIDR6: parts[11], SourceOther: parts[12], Policy: parts[13], Priority: parts[14], NICType: parts[15],
			Description: parts[16], Created: parts[17],
		}
		want := sg.NewRule(&fields)
		visits, _, _, err := read(bytes.NewReader(written(t, []snapshot.Visit{{
			Group: sg.Group{Region: "cn-a", ID: "sg-1"}, Rules: []sg.Rule{want},
		}}, scan())))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, visits[0].Rules[0], values()); diff != "" {
			t.Errorf("(-written +read):\n%s", diff)
		}
	})
}

// FuzzRead gives arbitrary bytes: reading must not panic.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"header":{"schemaVersion":1,"kind":"egress-janitor snapshot","account":{"name":"a","id":"1"},` +
		`"started":"2026-11-01T08:00:00Z"}}` + "\n" + `{"group":{"region":"r","group":{"id":"sg"},"rules":[{"protocol":"tcp"}]}}` + "\n"))
	f.Add([]byte{0x1f, 0x8b, 8})
	f.Fuzz(func(_ *testing.T, data []byte) { _, _, _, _ = read(bytes.NewReader(data)) })
}
