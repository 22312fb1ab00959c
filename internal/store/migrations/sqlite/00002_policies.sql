-- What policies are made of: their files, the contents of their sets, and since when rules have been there.

-- +goose Up
-- Contents by their SHA-256 in hex, compressed with gzip; size is of the contents.
CREATE TABLE blobs (
    sha256 TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    data BLOB NOT NULL
);

-- The last good copy of a URL. The URL itself may hold a secret, so it is kept as its SHA-256 only.
CREATE TABLE feeds (
    url_hash TEXT PRIMARY KEY,
    place TEXT NOT NULL,
    sha256 TEXT NOT NULL REFERENCES blobs (sha256),
    etag TEXT NOT NULL,
    last_modified TEXT NOT NULL,
    fetched INTEGER NOT NULL,
    checked INTEGER NOT NULL
);
CREATE INDEX feeds_by_contents ON feeds (sha256);

-- What sets held when they were last used without doubt, or accepted by a person. Addresses are JSON.
CREATE TABLE set_uses (
    set_key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    place TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    elements INTEGER NOT NULL,
    addresses TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL
);

CREATE TABLE policy_files (
    hash TEXT NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL REFERENCES blobs (sha256),
    PRIMARY KEY (hash, position)
);
CREATE INDEX policy_files_by_contents ON policy_files (sha256);

-- Since when contents of rules are known to have been there, as far as a policy with a baseline asked.
CREATE TABLE first_seen (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    group_id TEXT NOT NULL,
    content_key TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (account, region, group_id, content_key)
);
