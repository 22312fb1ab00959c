package main

import (
	"bytes"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// How often a key of the JSON report is there.
const (
	always    = "always"    // in every object of its kind
	sometimes = "sometimes" // only where it applies
)

// reportKeys are the keys of the JSON report, as the design has them, of which this version does not yet compute
// effect.closes, opens, stillPermittedBy and shadowedBy, and decision.until. Totals have an unreadable beside. Rules
// may have a source, sourcePortRange or portList; no finding of the demo has one, see cloud_data.txtar
// and port_list.txtar. The keys of byAction and byReason are values, not names.
func reportKeys() map[string]string {
	keys := map[string]string{}
	add := func(frequency, prefix string, names ...string) {
		for _, name := range names {
			keys[prefix+name] = frequency
		}
	}
	add(always, "", "schemaVersion", "sweep", "scope", "totals", "findings", "groups", "exceptions", "errors")
	add(always, "sweep.", "id", "account", "mode", "policyHash", "started", "finished", "complete", "unknown")
	add(always, "scope.", "regions")
	add(always, "scope.regions[].", "id", "complete", "groups", "rules")
	add(always, "totals.", "groups", "rules", "unreadable", "findings", "byAction", "byReason", "byEffect")
	finding := "findings[]."
	add(always, finding, "account", "region", "group", "rule", "policies", "effect", "decision", "executed")
	add(sometimes, finding, "notExecutedBecause")
	add(always, finding+"group.", "id", "name", "type", "tags")
	add(sometimes, finding+"group.", "vpc", "description", "resourceGroup", "serviceManaged")
	add(always, finding+"rule.", "protocol", "action", "priority", "nicType", "destination", "destinationKind", "portRange")
	add(sometimes, finding+"rule.", "id", "description", "createTime", "unreadable")
	add(always, finding+"policies[].", "name", "severity", "verdict", "because")
	add(always, finding+"effect.", "scope", "class", "sentence")
	add(sometimes, finding+"effect.", "closedPairs", "closes", "opens", "shadowedBy", "stillPermittedBy", "warning")
	add(sometimes, finding+"effect.closedPairs.", "ipv4", "ipv6")
	add(always, finding+"effect.closes[].", "protocol", "cidr", "ports")
	add(always, finding+"effect.opens[].", "protocol", "cidr", "ports")
	add(sometimes, finding, "narrowing")
	add(always, finding+"narrowing.", "sentence", "needed", "free", "rules")
	add(sometimes, finding+"narrowing.", "left")
	add(always, finding+"narrowing.left[].", "protocol", "cidr")
	add(always, finding+"narrowing.rules[].",
		"Description", "DestCidrIp", "IpProtocol", "NicType", "Policy", "PortRange", "Priority")
	add(always, finding+"decision.", "action")
	add(sometimes, finding+"decision.", "reason")
	add(always, "groups[].", "account", "region", "id", "effect")
	add(always, "groups[].effect.", "scope", "class", "sentence")
	add(sometimes, "groups[].effect.", "closedPairs", "closes", "shadowedBy", "stillPermittedBy", "warning")
	add(always, "groups[].effect.closedPairs.", "ipv4")
	add(always, "groups[].effect.closes[].", "protocol", "cidr", "ports")
	add(always, "exceptions[].", "name", "reason", "owner", "ticket", "expires", "exempted", "notices")
	add(sometimes, "exceptions[].", "unsure")
	add(always, "errors[].", "account", "region", "group", "rule", "error")
	return keys
}

// keyCounter counts the objects at each path of documents, and the keys in them.
type keyCounter struct {
	objects map[string]int
	keys    map[string]map[string]int // by path of the object
	nulls   []string
}

func (c *keyCounter) count(path string, value any) {
	switch v := value.(type) {
	case nil:
		c.nulls = append(c.nulls, path)
	case []any:
		for _, element := range v {
			c.count(path+"[]", element)
		}
	case map[string]any:
		switch path {
		case "totals.byAction", "totals.byReason", "totals.byEffect", "findings[].group.tags":
			return
		}
		c.objects[path]++
		if c.keys[path] == nil {
			c.keys[path] = map[string]int{}
		}
		for key, member := range v {
			c.keys[path][key]++
			c.count(join(path, key), member)
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func (c *keyCounter) frequencies() map[string]string {
	frequencies := map[string]string{}
	for path, keys := range c.keys {
		for key, n := range keys {
			frequencies[join(path, key)] = sometimes
			if n == c.objects[path] {
				frequencies[join(path, key)] = always
			}
		}
	}
	return frequencies
}

// demoReport runs the demo in this process and gives the JSON report of its audit.
func demoReport(t *testing.T) any {
	t.Helper()
	var out, messages bytes.Buffer
	code := run(t.Context(), []string{"demo", "--once", "--output", "json"}, system{
		out: &out, err: &messages, getenv: func(string) string { return "" }, now: time.Now,
	})
	if code != exitDone || messages.Len() > 0 {
		t.Fatalf("got exit code %d and the messages %q, want %d and none", code, messages.String(), exitDone)
	}
	docs, err := documents(out.String())
	if err != nil || len(docs) != 2 {
		t.Fatalf("got %d documents and the error %v, want those of the audit and of the enforcing sweep", len(docs), err)
	}
	return docs[0]
}

func TestTheJSONReportHasTheKeysOfTheDesignAndNoNulls(t *testing.T) {
	t.Parallel()
	counter := keyCounter{objects: map[string]int{}, keys: map[string]map[string]int{}}
	counter.count("", demoReport(t))
	if diff := cmp.Diff(reportKeys(), counter.frequencies()); diff != "" {
		t.Errorf("keys differ (-design +report):\n%s", diff)
	}
	if len(counter.nulls) > 0 {
		t.Errorf("null at %v", slices.Compact(slices.Sorted(slices.Values(counter.nulls))))
	}
	if n := counter.objects["findings[]"]; n == 0 {
		t.Error("the report has no findings to look at")
	}
}

// Every word that a decision can have in this version is in the demo, so that a reader of its report has seen it.
func TestTheDemoShowsEveryDecision(t *testing.T) {
	t.Parallel()
	got := map[string]bool{}
	report, _ := demoReport(t).(map[string]any)
	findings, _ := report["findings"].([]any)
	for _, element := range findings {
		finding, _ := element.(map[string]any)
		decision, _ := finding["decision"].(map[string]any)
		action, _ := decision["action"].(string)
		reason, _ := decision["reason"].(string)
		if action == "exempt" { // the reason is the name of an exception
			reason = "NAME"
		}
		got[action+": "+reason] = true
	}
	want := []string{
		"exempt: NAME", "hold: collateral", "hold: drop-rule", "hold: exception-unknown", "hold: no-rule-id",
		"hold: not-restorable", "report: invalid-expiry", "report: policy", "revoke: ", "skip: managed",
		"skip: protected", "skip: unreadable",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("decisions differ (-want +got):\n%s", diff)
	}
}
