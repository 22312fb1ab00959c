package ecsapi_test

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/egress-janitor/egress-janitor/internal/ecsapi"
	"github.com/egress-janitor/egress-janitor/internal/ecsemu"
	"github.com/egress-janitor/egress-janitor/internal/sg"
)

// The contract with the emulator, signatures and all: what is tested here goes through the cloud's real SDK.

var hangzhou = sg.Region{ID: "cn-hangzhou"}

// world is a small estate with something of everything.
func world() *ecsemu.Estate {
	web := ecsemu.Group{
		ID: "sg-web", Name: "web", VPC: "vpc-1", Managed: true, ResourceGroup: "rg-1",
		Tags: map[string]string{"env": "prod"},
	}
	for i := range 1200 {
		web.Egress = append(web.Egress, ecsemu.Rule{
			ID: "sgr-" + strconv.Itoa(i), Protocol: "tcp", Ports: "443/443", Peer: "10.0.0.0/8", Priority: 1 + i%100,
			Description: "规则 & \"" + strconv.Itoa(i) + "\"",
		})
	}
	region := ecsemu.Region{
		ID:          "cn-hangzhou",
		PrefixLists: []ecsemu.PrefixList{{ID: "pl-1", Name: "saas", Entries: []ecsemu.Entry{{CIDR: "203.0.113.0/24"}}}},
		PortLists: []ecsemu.PortList{
			{ID: "prl-1", Name: "mail", Entries: []ecsemu.PortEntry{{Ports: "25/25"}, {Ports: "465/587"}}}, {ID: "prl-2"},
		},
		Groups: []ecsemu.Group{web},
	}
	for i := range 150 {
		region.Groups = append(region.Groups, ecsemu.Group{ID: "sg-" + strconv.Itoa(1000+i), Name: "g", VPC: "vpc-1"})
	}
	return &ecsemu.Estate{Regions: []ecsemu.Region{region, {ID: "us-west-1"}}}
}

func newClient(t *testing.T, endpoint string, apply ...func(*ecsapi.Options)) *ecsapi.Client {
	t.Helper()
	quotas := ecsapi.DefaultQuotas()
	for action := range quotas {
		quotas[action] = 1e6
	}
	o := ecsapi.Options{
		Endpoint: endpoint, Quotas: quotas, Now: time.Now,
		Credentials: ecsapi.Credentials{KeyID: ecsemu.DefaultKeyID, Secret: ecsemu.DefaultKeySecret},
	}
	for _, a := range apply {
		a(&o)
	}
	c, err := ecsapi.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// rules reads a group whole.
func rules(ctx context.Context, c *ecsapi.Client, group string) ([]sg.Rule, error) {
	var all []sg.Rule
	for token := ""; ; {
		page, err := c.Rules(ctx, hangzhou, group, "", token)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if token = page.Next; token == "" {
			return all, nil
		}
	}
}

func TestEveryReadWorksAgainstTheEmulator(t *testing.T) {
	emulator := ecsemu.Start(t, world())
	c := newClient(t, emulator.URL)
	t.Run("identity", func(t *testing.T) {
		got, err := c.Identity(t.Context())
		if err != nil || got.AccountID != ecsemu.DefaultAccount || !strings.HasPrefix(got.ARN, "acs:ram::") {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("regions", func(t *testing.T) {
		got, err := c.Regions(t.Context())
		want := []sg.Region{
			{ID: "cn-hangzhou", Endpoint: "ecs.cn-hangzhou.aliyuncs.com"},
			{ID: "us-west-1", Endpoint: "ecs.us-west-1.aliyuncs.com"},
		}
		slices.SortFunc(got, func(a, b sg.Region) int { return strings.Compare(a.ID, b.ID) })
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("error %v, -want +got:\n%s", err, diff)
		}
	})
	t.Run("groups, page by page", func(t *testing.T) {
		first, err := c.Groups(t.Context(), hangzhou, "")
		if err != nil || len(first.Items) != 100 || first.Next == "" {
			t.Fatalf("got %d groups, next %q, %v; want 100 and more to come", len(first.Items), first.Next, err)
		}
		second, err := c.Groups(t.Context(), hangzhou, first.Next)
		if err != nil || len(second.Items) != 51 || second.Next != "" {
			t.Fatalf("got %d groups, next %q, %v; want the last 51", len(second.Items), second.Next, err)
		}
		all := slices.Concat(first.Items, second.Items)
		at := slices.IndexFunc(all, func(g sg.Group) bool { return g.ID == "sg-web" })
		want := sg.Group{
			Region: "cn-hangzhou", ID: "sg-web", Name: "web", Type: sg.TypeNormal, VPC: "vpc-1", ResourceGroup: "rg-1",
			ServiceManaged: true, Tags: []sg.Tag{{Key: "env", Value: "prod"}},
		}
		if at < 0 {
			t.Fatal("a group is missing")
		}
		if diff := cmp.Diff(want, all[at]); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
	t.Run("rules, page by page", func(t *testing.T) {
		got, err := rules(t.Context(), c, "sg-web")
		if err != nil || len(got) != 1200 {
			t.Fatalf("got %d rules, %v; want 1200", len(got), err)
		}
		for i := range got {
			r := &got[i]
			if r.Unreadable != "" || r.Protocol != sg.TCP || !strings.HasPrefix(r.Description, "规则 & \"") {
				t.Fatalf("got %+v", r)
			}
		}
	})
	t.Run("a prefix list", func(t *testing.T) {
		got, err := c.PrefixList(t.Context(), hangzhou, "pl-1")
		if err != nil || got.Name != "saas" || len(got.Entries) != 1 || got.Entries[0].String() != "203.0.113.0/24" {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("a port list", func(t *testing.T) {
		got, err := c.PortList(t.Context(), hangzhou, "prl-1")
		want := sg.PortList{ID: "prl-1", Ranges: []sg.PortRange{{Low: 25, High: 25}, {Low: 465, High: 587}}}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v, -want +got:\n%s", err, diff)
		}
	})
	t.Run("a port list that is empty, and one that is none", func(t *testing.T) {
		if got, err := c.PortList(t.Context(), hangzhou, "prl-2"); err != nil || got.ID != "prl-2" || len(got.Ranges) != 0 {
			t.Errorf("got %+v, %v, want an empty list", got, err)
		}
		for _, id := range []string{"prl-3", ""} {
			if got, err := c.PortList(t.Context(), hangzhou, id); err == nil {
				t.Errorf("list %q: got %+v, want an error", id, got)
			}
		}
	})
	t.Run("one group", func(t *testing.T) {
		got, there, err := c.Group(t.Context(), hangzhou, "sg-web")
		if !there || err != nil || got.ID != "sg-web" || got.Name != "web" || !got.ServiceManaged || len(got.Tags) != 1 {
			t.Errorf("got %+v, %v, %v", got, there, err)
		}
	})
	t.Run("no group", func(t *testing.T) {
		if got, there, err := c.Group(t.Context(), hangzhou, "sg-none"); there || err != nil {
			t.Errorf("got %+v, %v, %v", got, there, err)
		}
	})
	t.Run("a group that is gone", func(t *testing.T) {
		if _, err := c.Rules(t.Context(), hangzhou, "sg-none", "", ""); !errors.Is(err, sg.ErrGroupGone) {
			t.Errorf("got %v, want %v", err, sg.ErrGroupGone)
		}
	})
	t.Run("a region that is none", func(t *testing.T) {
		_, err := c.Groups(t.Context(), sg.Region{ID: "cn-nowhere"}, "")
		if err == nil || !strings.Contains(err.Error(), "accounts[].regions") {
			t.Errorf("got %v, want it to say what to check", err)
		}
	})
}

func TestWrongCredentialsAreDeniedAfterOneCall(t *testing.T) {
	emulator := ecsemu.Start(t, world())
	tests := map[string]struct {
		credentials ecsapi.Credentials
		want        string
	}{
		"an unknown key": {ecsapi.Credentials{KeyID: "LTAI5tUnknown", Secret: "x"}, "check ALIBABA_CLOUD_ACCESS_KEY_ID"},
		"a wrong secret": {
			ecsapi.Credentials{KeyID: ecsemu.DefaultKeyID, Secret: "wrong-secret"}, "check ALIBABA_CLOUD_ACCESS_KEY_SECRET",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before := len(emulator.Server.Requests())
			c := newClient(t, emulator.URL, func(o *ecsapi.Options) { o.Credentials = tt.credentials })
			_, err := c.Identity(t.Context())
			if !errors.Is(err, sg.ErrDenied) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %q", err, tt.want)
			}
			if strings.Contains(err.Error(), tt.credentials.KeyID) || strings.Contains(err.Error(), "POST&") {
				t.Errorf("got %v, which tells too much", err)
			}
			if asked := len(emulator.Server.Requests()) - before; asked > 1 {
				t.Errorf("asked %d times, want once", asked)
			}
		})
	}
}

func TestTheEmulatorIsReachedOverTLS(t *testing.T) {
	emulator := ecsemu.Start(t, world())
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(emulator.Server.CA())
	c := newClient(t, emulator.TLSURL, func(o *ecsapi.Options) { o.CAs = roots })
	if _, err := c.Identity(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestReadsSurviveFaultsThatPass(t *testing.T) {
	t.Parallel()
	for _, fault := range []ecsemu.Fault{
		{Kind: ecsemu.FaultError, Status: 503, Code: "ServiceUnavailable", Times: 2},
		{Kind: ecsemu.FaultTruncate, Times: 2},
		{Kind: ecsemu.FaultHTML, Times: 2},
		{Kind: ecsemu.FaultClose, Times: 2},
		{Kind: ecsemu.FaultEmptyBody, Times: 2},
	} {
		t.Run(string(fault.Kind), func(t *testing.T) {
			t.Parallel()
			emulator := ecsemu.Start(t, world())
			if err := emulator.Server.SetFaults([]ecsemu.Fault{fault}); err != nil {
				t.Fatal(err)
			}
			got, err := rules(t.Context(), newClient(t, emulator.URL), "sg-web")
			if err != nil || len(got) != 1200 {
				t.Errorf("got %d rules, %v; want 1200", len(got), err)
			}
		})
	}
}

func TestFiftyCallersShareAClient(t *testing.T) {
	emulator := ecsemu.Start(t, world())
	c := newClient(t, emulator.URL, func(o *ecsapi.Options) { o.Clients = 8 })
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if got, err := rules(t.Context(), c, "sg-web"); err != nil || len(got) != 1200 {
				t.Errorf("caller %d got %d rules, %v", i, len(got), err)
			}
			if _, err := c.Groups(t.Context(), hangzhou, ""); err != nil {
				t.Errorf("caller %d: %v", i, err)
			}
			if _, err := c.Identity(t.Context()); err != nil {
				t.Errorf("caller %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if got := len(emulator.Server.Requests()); got != 50*4 {
		t.Errorf("%d requests, want %d: none repeated", got, 50*4)
	}
}
