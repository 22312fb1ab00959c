-- Times are microseconds since 1970 UTC, 0 where there is none. Booleans are 0 and 1. What is JSON is TEXT.
-- An empty outcome means open. seq gives the order in which rows were written, whatever the clock said.

-- +goose Up
CREATE TABLE sweeps (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    account TEXT NOT NULL,
    account_id TEXT NOT NULL,
    regions TEXT NOT NULL,
    origin TEXT NOT NULL,
    actor TEXT NOT NULL,
    mode TEXT NOT NULL,
    acting INTEGER NOT NULL,
    policy_hash TEXT NOT NULL,
    guards_hash TEXT NOT NULL,
    started INTEGER NOT NULL,
    finished INTEGER NOT NULL DEFAULT 0,
    complete INTEGER NOT NULL DEFAULT 0,
    interrupted INTEGER NOT NULL DEFAULT 0,
    group_count INTEGER NOT NULL DEFAULT 0,
    rule_count INTEGER NOT NULL DEFAULT 0,
    finding_count INTEGER NOT NULL DEFAULT 0,
    revocation_count INTEGER NOT NULL DEFAULT 0,
    problems TEXT NOT NULL DEFAULT '[]',
    summary TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX sweeps_by_account ON sweeps (account, seq);
CREATE INDEX sweeps_by_account_id ON sweeps (account_id, account);

CREATE TABLE findings (
    sweep TEXT NOT NULL REFERENCES sweeps (id),
    position INTEGER NOT NULL,
    region TEXT NOT NULL,
    group_id TEXT NOT NULL,
    group_name TEXT NOT NULL,
    rule TEXT NOT NULL,
    action TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    policies TEXT NOT NULL,
    PRIMARY KEY (sweep, position)
);

CREATE TABLE clocks (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    group_id TEXT NOT NULL,
    content_key TEXT NOT NULL,
    policy TEXT NOT NULL,
    since INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    sweeps INTEGER NOT NULL,
    PRIMARY KEY (account, region, group_id, content_key, policy)
);

CREATE TABLE revocations (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    sweep TEXT NOT NULL REFERENCES sweeps (id),
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    group_id TEXT NOT NULL,
    group_name TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    rule_key TEXT NOT NULL,
    content_key TEXT NOT NULL,
    rule TEXT NOT NULL,
    protocol TEXT NOT NULL,
    destination TEXT NOT NULL,
    origin TEXT NOT NULL,
    actor TEXT NOT NULL,
    created INTEGER NOT NULL,
    outcome TEXT NOT NULL DEFAULT '',
    attribution TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    ended INTEGER NOT NULL DEFAULT 0
);
-- A rule instance has at most one open revocation, whatever the program believes.
CREATE UNIQUE INDEX revocations_open ON revocations (account, region, group_id, rule_key) WHERE outcome = '';
CREATE INDEX revocations_by_content ON revocations (account, region, group_id, content_key, outcome);
CREATE INDEX revocations_by_sweep ON revocations (sweep);
CREATE INDEX revocations_by_creation ON revocations (created);

CREATE TABLE revocation_policies (
    revocation TEXT NOT NULL REFERENCES revocations (id),
    position INTEGER NOT NULL,
    policy TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (revocation, position)
);

CREATE TABLE calls (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    action TEXT NOT NULL,
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    group_id TEXT NOT NULL,
    parameters TEXT NOT NULL,
    token TEXT NOT NULL,
    recorded INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    state TEXT NOT NULL,
    class TEXT NOT NULL DEFAULT '',
    code TEXT NOT NULL DEFAULT '',
    request_id TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    answered INTEGER NOT NULL DEFAULT 0
);

-- What a call carries: revocations, or one restore, as the action of the call says.
CREATE TABLE call_items (
    call TEXT NOT NULL REFERENCES calls (id),
    position INTEGER NOT NULL,
    item TEXT NOT NULL,
    PRIMARY KEY (call, position)
);
CREATE INDEX call_items_by_item ON call_items (item, call);

CREATE TABLE restores (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    revocation TEXT NOT NULL REFERENCES revocations (id),
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    group_id TEXT NOT NULL,
    content_key TEXT NOT NULL,
    rule TEXT NOT NULL,
    hold_until INTEGER NOT NULL,
    actor TEXT NOT NULL,
    created INTEGER NOT NULL,
    outcome TEXT NOT NULL DEFAULT '',
    rule_id TEXT NOT NULL DEFAULT '',
    detail TEXT NOT NULL DEFAULT '',
    ended INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX restores_open ON restores (revocation) WHERE outcome = '';
CREATE INDEX restores_by_group ON restores (account, region, group_id);
CREATE INDEX restores_by_revocation ON restores (revocation);

-- One row: what holds revocations back everywhere.
CREATE TABLE switches (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    armed INTEGER NOT NULL,
    paused INTEGER NOT NULL,
    reason TEXT NOT NULL,
    actor TEXT NOT NULL,
    since INTEGER NOT NULL
);
INSERT INTO switches (id, armed, paused, reason, actor, since) VALUES (1, 0, 0, '', '', 0);

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    account TEXT NOT NULL,
    data TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
);
-- +goose StatementBegin
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log only grows: no entry may be changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log only grows: no entry may be deleted');
END;
-- +goose StatementEnd
-- An INSERT OR REPLACE deletes without asking the trigger above.
-- +goose StatementBegin
CREATE TRIGGER audit_in_order BEFORE INSERT ON audit
WHEN NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit) BEGIN
    SELECT RAISE(ABORT, 'the audit log only grows: an entry goes behind the last one');
END;
-- +goose StatementEnd
