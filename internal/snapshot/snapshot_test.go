package snapshot_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/internal/snapshot"
)

func start() time.Time { return time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC) }

// rule makes a rule as the cloud would list it, changed by apply.
func rule(apply func(*sg.Fields)) sg.Rule {
	f := sg.Fields{
		ID: "sgr-1", Protocol: "TCP", PortRange: "443/443", SourcePorts: "-1/-1", CIDR4: "203.0.113.0/24", Policy: "Accept",
		Priority: "1", NICType: "intranet", Description: "shop <&> \u2028 till", Created: "2026-01-02T03:04:05Z",
	}
	apply(&f)
	return sg.NewRule(&f)
}

// estate is groups with all that can be odd about a rule.
func estate() []snapshot.Visit {
	toList := rule(func(f *sg.Fields) { f.ID, f.CIDR4, f.PrefixListID = "sgr-list", "", "pl-1" })
	toList.Destination.List = &sg.PrefixList{ID: "pl-1", Name: "partners", Entries: []netip.Prefix{
		netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8::/32"),
	}}
	toEmpty := rule(func(f *sg.Fields) { f.ID, f.CIDR4, f.PrefixListID = "sgr-empty", "", "pl-2" })
	toEmpty.Destination.List = &sg.PrefixList{ID: "pl-2", Entries: []netip.Prefix{}}
	ofPorts := rule(func(f *sg.Fields) { f.ID, f.PortRange, f.PortListID = "sgr-ports", "", "prl-1" })
	ofPorts.PortList = &sg.PortList{ID: "prl-1", Name: "web", Ranges: []sg.PortRange{{Low: 80, High: 80}, {Low: 8000, High: 9000}}}
	return []snapshot.Visit{
		{
			Group: sg.Group{
				Region: "cn-hangzhou", ID: "sg-1", Name: "web", Description: "front", Type: sg.TypeNormal, VPC: "vpc-1",
				ResourceGroup: "rg-1", ServiceManaged: true, Tags: []sg.Tag{{Key: "Env"}, {Key: "env", Value: "prod"}},
			},
			Rules: []sg.Rule{
				rule(func(*sg.Fields) {}), toList, toEmpty, ofPorts,
				rule(func(f *sg.Fields) { f.ID, f.CIDR4, f.PrefixListID = "sgr-unread", "", "pl-unread" }),
				rule(func(f *sg.Fields) { f.ID, f.PortRange, f.PortListID = "sgr-unread-ports", "", "prl-unread" }),
				rule(func(f *sg.Fields) { f.ID, f.CIDR4, f.GroupID, f.GroupOwner = "", "", "sg-2", "42" }),
			},
		},
		{
			Group: sg.Group{Region: "cn-hangzhou", ID: "sg-2", Type: sg.TypeEnterprise}, Incomplete: "page 2: throttled",
			Rules: []sg.Rule{
				rule(func(f *sg.Fields) { f.CIDR4, f.CIDR6, f.NICType = "", "::ffff:10.1.2.3/104", "internet" }),
				rule(func(f *sg.Fields) { f.CIDR6 = "2001:db8::/32" }),
				rule(func(f *sg.Fields) { f.CIDR4 = "everywhere" }),
				rule(func(f *sg.Fields) { f.CIDR4 = "" }),
				rule(func(f *sg.Fields) { f.Protocol = "carrier-pigeon" }),
				rule(func(f *sg.Fields) { f.Priority = "+7" }),
				rule(func(f *sg.Fields) { f.Priority = "" }),
				rule(func(f *sg.Fields) { f.Policy, f.Created = "perhaps", "yesterday" }),
				rule(func(f *sg.Fields) { f.SourceCIDR6 = "fd00::/8" }),
				rule(func(f *sg.Fields) { f.SourceOther = "10.0.0.0/8" }),
				rule(func(f *sg.Fields) { f.SourceCIDR4, f.SourceCIDR6 = "10.0.0.0/8", "fd00::/8" }),
				toList,
			},
		},
		{Group: sg.Group{Region: "cn-beijing", ID: "sg-1"}, Rules: []sg.Rule{}},
	}
}

func scan() *snapshot.Scan {
	return &snapshot.Scan{
		Finished: start().Add(time.Minute),
		Regions:  []snapshot.Region{{ID: "cn-hangzhou", Groups: 2, Rules: 19, Gone: 1, Error: "the listing broke off"}},
		Problems: []snapshot.Problem{{Region: "cn-hangzhou", Group: "sg-2", Error: "page 2: throttled"}},
	}
}

func header() *snapshot.Header {
	return &snapshot.Header{
		Account: snapshot.Account{Name: "prod", ID: "1234567890123456"}, Started: start(), Program: "v1.2.3",
	}
}

func written(t *testing.T, visits []snapshot.Visit, s *snapshot.Scan) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := snapshot.NewWriter(&out, header())
	if err != nil {
		t.Fatal(err)
	}
	for i := range visits {
		if err := w.Visit(&visits[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(s); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func read(in io.Reader) (visits []snapshot.Visit, h *snapshot.Header, s *snapshot.Scan, err error) {
	h, s, err = snapshot.Read(in, func(v *snapshot.Visit) error {
		visits = append(visits, *v)
		return nil
	})
	return visits, h, s, err
}

// values compares domain values by all that they hold.
func values() cmp.Option {
	return cmp.Options{
		cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		cmpopts.EquateEmpty(),
	}
}

func TestWhatIsReadBackIsWhatTheScanSaw(t *testing.T) {
	visits, gotHeader, gotScan, err := read(bytes.NewReader(written(t, estate(), scan())))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(estate(), visits, values()); diff != "" {
		t.Errorf("groups (-written +read):\n%s", diff)
	}
	want := header()
	want.SchemaVersion, want.Kind = snapshot.SchemaVersion, "egress-janitor snapshot"
	if diff := cmp.Diff(want, gotHeader); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(scan(), gotScan, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("trailer (-want +got):\n%s", diff)
	}
}

func TestAListIsWrittenOnceForARegionAndSharedWhenReadBack(t *testing.T) {
	text := written(t, estate(), scan())
	if n := bytes.Count(text, []byte(`{"prefixList":`)); n != 2 {
		t.Errorf("%d prefix lists, want 2", n)
	}
	visits, _, _, err := read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if visits[0].Rules[1].Destination.List != visits[1].Rules[11].Destination.List {
		t.Error("two rules to one list do not share it")
	}
}

func TestACutSnapshotIsRefusedAtEveryByte(t *testing.T) {
	whole := written(t, estate(), scan())
	for n := range whole {
		if _, _, _, err := read(bytes.NewReader(whole[:n])); err == nil {
			t.Fatalf("cut to %d of %d bytes it is read", n, len(whole))
		}
	}
}

func TestACutCompressedSnapshotIsRefusedAtEveryByte(t *testing.T) {
	whole := compressed(t, written(t, estate(), scan()))
	if _, _, _, err := read(bytes.NewReader(whole)); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, _, _, err := read(bytes.NewReader(whole[:n])); err == nil {
			t.Fatalf("cut to %d of %d bytes it is read", n, len(whole))
		}
	}
}

func compressed(t *testing.T, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(text)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAChangedSnapshotIsRefused(t *testing.T) {
	whole := string(written(t, estate(), scan()))
	for _, c := range []struct{ name, old, replacement, want string }{
		{"a rule", "443/443", "444/444", "not those that were written"},
		{
			"a line that is missing", `{"group":{"region":"cn-beijing","group":{"id":"sg-1"},"rules":[]}}` + "\n", "",
			"not those that were written",
		},
		{"a key that is not known", `{"group":{"region"`, `{"group":{"colour":"red","region"`, "no line of a snapshot"},
		{
			"a line of two kinds", `{"group":{"region":"cn-beijing"`, `{"portList":{},"group":{"region":"cn-beijing"`,
			"no line of a snapshot",
		},
		{"a group without an ID", `"group":{"id":"sg-1"},"rules":[]`, `"group":{"id":""},"rules":[]`, "no region or no ID"},
		{"the count of rules", `"rules":19,"sha256"`, `"rules":18,"sha256"`, "says 3 and 18"},
		{"a trailer that calls it complete", `"complete":false,"regions"`, `"complete":true,"regions"`, "and is not"},
		{"host bits in a list", `198.51.100.0/24`, `198.51.100.1/24`, "host bits"},
		{"a range that is none", `"80/80"`, `"90/80"`, "range that is none"},
		{"another kind of file", `"kind":"egress-janitor snapshot"`, `"kind":"report"`, "no snapshot"},
		{"a later form", `"schemaVersion":1`, `"schemaVersion":2,"more":true`, "the program that wrote it"},
		{"a header without an account", `"name":"prod"`, `"name":""`, "no header"},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := strings.Replace(whole, c.old, c.replacement, 1)
			if changed == whole {
				t.Fatal("nothing was changed")
			}
			_, _, _, err := read(strings.NewReader(changed))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	if _, _, _, err := read(strings.NewReader(whole + "\n")); !errors.Is(err, snapshot.ErrNotWhole) {
		t.Errorf("with a line after the trailer: got %v", err)
	}
}

func TestAFailureToWriteIsGivenByEveryLaterCall(t *testing.T) {
	w, err := snapshot.NewWriter(failing{}, header())
	if !errors.Is(err, io.ErrShortWrite) {
		t.Fatalf("header: got %v", err)
	}
	if err := w.Visit(&estate()[0]); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("group: got %v", err)
	}
	if err := w.Close(scan()); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("trailer: got %v", err)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestTheErrorOfAVisitEndsTheReading(t *testing.T) {
	stop := errors.New("stop")
	_, _, err := snapshot.Read(bytes.NewReader(written(t, estate(), scan())), func(*snapshot.Visit) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("got %v, want %v", err, stop)
	}
}
