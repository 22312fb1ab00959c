package metrics

import "github.com/prometheus/client_golang/prometheus"

// descs are the families that the state collects. They are made once, for each value of it.
type descs struct {
	policies          *prometheus.Desc
	limit             *prometheus.Desc
	limitRemaining    *prometheus.Desc
	groups            *prometheus.Desc
	rules             *prometheus.Desc
	revocations       *prometheus.Desc
	regionRevocations *prometheus.Desc
	removed           *prometheus.Desc
	restores          *prometheus.Desc
	open              *prometheus.Desc
	oldestOpen        *prometheus.Desc
	lastSweep         *prometheus.Desc
	lastComplete      *prometheus.Desc
	findings          *prometheus.Desc
	returned          *prometheus.Desc
	decisions         *prometheus.Desc
	effects           *prometheus.Desc
	closed            *prometheus.Desc
	removedEffects    *prometheus.Desc
	entries           *prometheus.Desc
	head              *prometheus.Desc
	armed             *prometheus.Desc
	paused            *prometheus.Desc
	readAt            *prometheus.Desc
}

// describe describes a family.
func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

func newDescs() descs {
	d := descs{
		policies: describe("policies",
			"Policies that are loaded."),
		limit: describe("limit",
			"Configured limits on what may be removed: rules, or percent of an account's rules.", "limit"),
		limitRemaining: describe("limit_remaining",
			"Rules that may still be removed within the limit now; per-window is over all accounts and the last "+
				"24 hours.", "limit"),
		groups: describe("groups",
			"Security groups that the last sweep of the account in this process read.", "account", "region"),
		rules: describe("rules",
			"Egress rules that the last sweep of the account in this process read.", "account", "region"),
		revocations: describe("revocations_total",
			"Revocations that ended, over all of the store's history, by policy and outcome. One that several "+
				"policies caused counts for each of them: do not add policies up. confirmed: complete listings prove "+
				"that the rule is gone.", "policy", "outcome"),
		regionRevocations: describe("region_revocations_total",
			"Revocations that ended, over all of the store's history, each once, by where the rule was and by "+
				"outcome.", "account", "region", "outcome"),
		removed: describe("removed_rules_total",
			"Rules whose removal was confirmed, over all of the store's history, each once, by protocol and kind "+
				"of destination.", "protocol", "destination"),
		restores: describe("restores_total",
			"Restores of revoked rules that ended, over all of the store's history, by outcome.", "outcome"),
		open: describe("open_revocations",
			"Revocations that have no outcome yet."),
		oldestOpen: describe("oldest_open_revocation_timestamp_seconds",
			"When the oldest revocation that has no outcome was decided on; 0 if none is open."),
		lastSweep: describe("last_sweep_timestamp_seconds",
			"When the last sweep of the account began, however it ended; 0 if there was none.", "account"),
		lastComplete: describe("last_complete_sweep_timestamp_seconds",
			"When the last sweep of the account that read everything ended; 0 if there was none.", "account"),
		findings: describe("findings",
			"Rules that violate a policy in the last finished sweep of the account, by what the policy's verdict "+
				"came to.", "account", "policy", "state"),
		returned: describe("findings_returned",
			"Findings of the last finished sweep of the account that have the content of a rule of the same group "+
				"whose removal was confirmed before, and that no restore holds: what came back.", "account", "policy"),
		decisions: describe("decisions",
			"Rules with findings in the last finished sweep of the account, each once, by what was decided about "+
				"them and why. It is decided as if enforcing, whatever the mode.", "account", "action", "reason"),
		entries: describe("audit_entries",
			"Entries of the audit log. It never falls unless entries were lost."),
		head: describe("audit_head_info",
			"The first digits of the hash of the audit log's last entry; always 1.", "head"),
		armed: describe("armed",
			"1 if the store was armed by resume; a new or lost store is not, and nothing is revoked."),
		paused: describe("paused",
			"1 if nothing may be revoked because of a pause, or since the store is behind its checkpoint."),
		readAt: describe("store_read_timestamp_seconds",
			"When the store was last read for these metrics; what comes from the store is as old as this."),
	}
	d.addEffects()
	return d
}

// addEffects describes what is said of what removing rules does.
func (d *descs) addEffects() {
	d.effects = describe("decisions_effect",
		"Rules of the last finished sweep of the account that are to be revoked, each once, by what removing them does, "+
			"within the scope of the configuration: closes, none (it stays permitted or was without effect), opens, mixed, "+
			"unknown.", "account", "effect")
	d.closed = describe("sweep_closed_pairs",
		"(address, port) pairs that the revocations recorded by the last finished sweep of the account close together, "+
			"summed over its groups, by family; 0 for a sweep that may not act. Members of destination groups are not "+
			"counted. Read it on a log scale.", "account", "family")
	d.removedEffects = describe("removed_rules_effect_total",
		"Rules whose removal was confirmed, over all of the store's history, each once, by what removing them was going "+
			"to do when it was decided. none: nothing was closed by it. other: it was not computed.", "effect")
}

func (d *descs) all() []*prometheus.Desc {
	return []*prometheus.Desc{
		d.policies,
		d.limit,
		d.limitRemaining,
		d.groups,
		d.rules,
		d.revocations,
		d.regionRevocations,
		d.removed,
		d.restores,
		d.open,
		d.oldestOpen,
		d.lastSweep,
		d.lastComplete,
		d.findings,
		d.returned,
		d.decisions,
		d.effects,
		d.closed,
		d.removedEffects,
		d.entries,
		d.head,
		d.armed,
		d.paused,
		d.readAt,
	}
}
