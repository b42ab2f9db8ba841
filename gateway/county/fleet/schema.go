package fleet

// Schema creates the tables. Times are unix nanoseconds. It is a step of the
// desk's file.
const Schema = `
CREATE TABLE machines (               -- as last heard of in records
	machine TEXT PRIMARY KEY,
	agent   TEXT NOT NULL,
	name    TEXT NOT NULL DEFAULT '',
	type    TEXT NOT NULL DEFAULT '',
	heard   INTEGER NOT NULL,
	point   BLOB NOT NULL DEFAULT '{}' -- its last
) WITHOUT ROWID;
CREATE TABLE runs (
	machine TEXT NOT NULL,
	run     TEXT NOT NULL,
	jid     TEXT NOT NULL,
	seq     INTEGER NOT NULL,         -- of the record that holds
	state   TEXT NOT NULL,
	start   INTEGER NOT NULL,
	finish  INTEGER NOT NULL,
	body    BLOB NOT NULL,
	PRIMARY KEY (machine, run)
) WITHOUT ROWID;
CREATE INDEX runs_start ON runs (start);
CREATE TABLE tracks (
	machine TEXT NOT NULL,
	at      INTEGER NOT NULL,         -- of the first point
	jid     TEXT NOT NULL,
	seq     INTEGER NOT NULL,
	file    TEXT NOT NULL,            -- id of an imported file, or empty
	points  BLOB NOT NULL,
	PRIMARY KEY (machine, at, jid, seq)
) WITHOUT ROWID;`

// SchemaIndexes finds a machine's last runs, and the open ones, among those of years.
const SchemaIndexes = `
CREATE INDEX runs_machine ON runs (machine, start);
CREATE INDEX runs_open ON runs (jid, seq) WHERE state = 'open';`
