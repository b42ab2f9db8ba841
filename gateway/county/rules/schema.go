package rules

// Schema creates the tables. Times are unix nanoseconds. It is a step of the desk's file.
const Schema = `
CREATE TABLE rules_versions (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	kind    TEXT NOT NULL,            -- policy, roster, guards, contacts, cases
	scope   TEXT NOT NULL,            -- default, or the id of a compound or gate
	no      INTEGER NOT NULL,         -- rises by one within kind and scope
	state   TEXT NOT NULL,            -- draft, waiting, approved, withdrawn
	text    BLOB NOT NULL,            -- as it was given, encrypted to vault
	vault   TEXT NOT NULL,            -- the vault key's recipient; empty: text is a policy, not encrypted
	size    INTEGER NOT NULL,         -- of the text, in bytes
	author  TEXT NOT NULL,
	made    INTEGER NOT NULL,
	note    TEXT NOT NULL,
	decided INTEGER NOT NULL,         -- when it was approved or withdrawn; 0: it was not
	decided_by TEXT NOT NULL,
	UNIQUE (kind, scope, no)
);
CREATE TABLE rules_sets (
	agent   TEXT NOT NULL,
	no      INTEGER NOT NULL,         -- never falls
	at      INTEGER NOT NULL,         -- when it was made
	version TEXT NOT NULL,            -- the label that people see
	digest  BLOB NOT NULL,            -- of what is in it and whom it is for, keyed by the vault key
	manifest BLOB NOT NULL,           -- as it is published
	size    INTEGER NOT NULL,         -- of sealed before it was replaced
	sealed  BLOB NOT NULL,            -- what is published, encrypted to the gate; empty: replaced by a later one
	published INTEGER NOT NULL,       -- when the broker had all of it; 0: not yet
	PRIMARY KEY (agent, no)
) WITHOUT ROWID;`
