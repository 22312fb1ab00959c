package ecsapi

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/egress-janitor/egress-janitor/internal/sg"
	"github.com/egress-janitor/egress-janitor/revoker"
)

// The contract with the API: whatever this package sends is held against the tables in testdata/parameters. The
// requests are those of the real SDK, over TLS, to the hosts that the product uses. The calls that change something are
// made by the revoker, as in production.

// drive makes any call of an exported method, with anything that the product can give it.
type drive func(t *rapid.T, c *Client) error

// drives are by method.
func drives() map[string]drive {
	return map[string]drive{
		"Identity": func(_ *rapid.T, c *Client) error { return onlyErr(c.Identity(context.Background())) },
		"Regions":  func(_ *rapid.T, c *Client) error { return onlyErr(c.Regions(context.Background())) },
		"Groups": func(t *rapid.T, c *Client) error {
			return onlyErr(c.Groups(context.Background(), anyRegion(t), anyToken(t)))
		},
		"Group": func(t *rapid.T, c *Client) error {
			_, _, err := c.Group(context.Background(), anyRegion(t), anyID(t, "sg-"))
			return err
		},
		"Rules": func(t *rapid.T, c *Client) error {
			nic := rapid.SampledFrom([]string{sg.NICIntranet, sg.NICInternet, ""}).Draw(t, "nic type")
			return onlyErr(c.Rules(context.Background(), anyRegion(t), anyID(t, "sg-"), nic, anyToken(t)))
		},
		"Interfaces": func(t *rapid.T, c *Client) error {
			return onlyErr(c.Interfaces(context.Background(), anyRegion(t), anyToken(t)))
		},
		"PrefixList": func(t *rapid.T, c *Client) error {
			return onlyErr(c.PrefixList(context.Background(), anyRegion(t), anyID(t, "pl-")))
		},
		"PortList": func(t *rapid.T, c *Client) error {
			return onlyErr(c.PortList(context.Background(), anyRegion(t), anyID(t, "prl-")))
		},
		"Write": func(t *rapid.T, c *Client) error {
			w := writeOf(anyCall(t))
			return onlyErr(c.Write(context.Background(), &w))
		},
	}
}

func onlyErr[T any](_ T, err error) error { return err }

func TestEverythingThatIsSentIsInTheTables(t *testing.T) {
	tables, w := loadContract(t), newStandIn(t)
	clients := []*Client{w.client(t, ""), w.client(t, canaryToken)}
	signatures := signing{secret: canarySecret, seen: map[string]bool{}}
	driven := map[string]bool{}
	for method, drive := range drives() {
		t.Run(method, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				if err := drive(t, rapid.SampledFrom(clients).Draw(t, "client")); err != nil {
					t.Fatalf("the call was not made: %v", err)
				}
				requests := w.taken()
				if len(requests) != 1 {
					t.Fatalf("%d requests, want one", len(requests))
				}
				for _, problem := range append(tables.check(&requests[0]), signatures.check(&requests[0], time.Now())...) {
					t.Errorf("%s", problem)
				}
				query, _ := url.ParseQuery(requests[0].query)
				driven[query.Get("Action")] = true
			})
		})
	}
	want, got := slices.Sorted(maps.Keys(tables.actions)), slices.Sorted(maps.Keys(driven))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("actions sent, -in the tables +on the wire:\n%s", diff)
	}
}

// TestEveryExportedCallIsDriven fails when a method is added that calls the cloud, and nobody holds it against the
// tables.
func TestEveryExportedCallIsDriven(t *testing.T) {
	var calls []string
	for method := range reflect.TypeFor[*Client]().Methods() {
		if method.Type.NumIn() > 1 && method.Type.In(1) == reflect.TypeFor[context.Context]() {
			calls = append(calls, method.Name)
		}
	}
	if diff := cmp.Diff(calls, slices.Sorted(maps.Keys(drives()))); diff != "" {
		t.Errorf("methods that take a context, -exported +driven:\n%s", diff)
	}
}

// TestEveryShapeOfRuleIsSent makes sure that chance leaves nothing out: one rule of each shape, in each form that can
// carry it. Where none can, the product says so before anything is sent.
func TestEveryShapeOfRuleIsSent(t *testing.T) {
	tables, w := loadContract(t), newStandIn(t)
	c := w.client(t, "")
	got := map[string][]string{}
	for name, fields := range shapes() {
		rule := sg.NewRule(&fields)
		for form, of := range forms() {
			call, err := of([]sg.Rule{rule})
			if err != nil {
				continue
			}
			write := writeOf(call)
			_, err = c.Write(t.Context(), &write)
			requests := w.taken()
			if e, ok := errors.AsType[*Error](err); ok && e.Class == Invalid && len(requests) == 0 {
				continue
			}
			if err != nil || len(requests) != 1 {
				t.Errorf("%s, %s: %d requests, %v", name, form, len(requests), err)
			}
			for _, r := range requests {
				for _, problem := range tables.check(&r) {
					t.Errorf("%s, %s: %s", name, form, problem)
				}
			}
			got[form] = append(got[form], name)
		}
	}
	all := slices.Sorted(maps.Keys(shapes()))
	allBut := slices.DeleteFunc(slices.Clone(all), func(name string) bool {
		return name == shapePortList || name == shapePriority
	})
	restorable := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return name == shapePriority })
	want := map[string][]string{
		formByID: all, formFlat: allBut, formRevokeList: allBut, formRestore: restorable, formRestoreList: restorable,
	}
	for _, names := range got {
		slices.Sort(names)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("shapes by form, -want +sent:\n%s", diff)
	}
}

// writeOf is what the command makes of a call of the revoker.
func writeOf(call revoker.Call) Write {
	w := Write{
		Action: call.Action, Region: sg.Region{ID: call.Ref.Region}, Parameters: map[string]string{},
		NotAfter: time.Now().Add(time.Minute),
	}
	for _, p := range call.Request() {
		w.Parameters[p.Name] = p.Value
	}
	return w
}

// TestWhatTheTablesForbidIsNotSent holds [Client.Write] to what it can tell by itself.
func TestWhatTheTablesForbidIsNotSent(t *testing.T) {
	w := newStandIn(t)
	c := w.client(t, "")
	tests := map[string]struct {
		parameter, value, want string
	}{
		"a token of 65 characters":     {"ClientToken", strings.Repeat("a", 65), "65 characters"},
		"a token that is not ASCII":    {"ClientToken", "tökén", "expected printable ASCII"},
		"a token with a line end":      {"ClientToken", "token\n", "expected printable ASCII"},
		"a priority above 100":         {"Priority", "110", "expected a number from 1 to 100"},
		"a priority written oddly":     {"Priority", "+5", "expected a number from 1 to 100"},
		"a priority of none":           {"Priority", "0", "expected a number from 1 to 100"},
		"a priority that is no number": {"Permissions.2.Priority", "high", "expected a number from 1 to 100"},
		"an item after the hundredth":  {"SecurityGroupRuleId.101", "sgr-1", "more than 100"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			write := Write{
				Action: actionRevoke, Region: hangzhou, NotAfter: time.Now().Add(time.Minute),
				Parameters: map[string]string{
					"RegionId": "cn-hangzhou", "SecurityGroupId": "sg-1", "ClientToken": "token", tt.parameter: tt.value,
				},
			}
			_, err := c.Write(t.Context(), &write)
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Class != Invalid || !strings.Contains(e.Message, "parameter "+tt.parameter+": "+tt.want) {
				t.Errorf("got %v, want it refused with %q", err, tt.want)
			}
			if requests := w.taken(); len(requests) > 0 {
				t.Errorf("%d requests were sent", len(requests))
			}
		})
	}
}
