package alerts

// Schema creates the table. Times are unix nanoseconds. It is a step of the
// desk's file, as are the constants below.
const Schema = `
CREATE TABLE alerts (
	id        INTEGER PRIMARY KEY,
	agent     TEXT NOT NULL,
	jid       TEXT NOT NULL,          -- 'desk' for what the county itself finds
	alarm     TEXT NOT NULL,          -- id at its source
	type      TEXT NOT NULL,
	device    TEXT NOT NULL,
	detail    TEXT NOT NULL,
	screening INTEGER,                -- hundredths of a degree Celsius
	passage   INTEGER NOT NULL,
	seq       INTEGER NOT NULL,       -- of the record that raised it
	at        INTEGER NOT NULL,
	cleared   INTEGER,                -- when the condition ended
	guard     TEXT NOT NULL DEFAULT '', -- what the guard did
	acked     INTEGER,
	acked_by  TEXT NOT NULL DEFAULT '',
	note      TEXT NOT NULL DEFAULT '',
	UNIQUE (jid, alarm, seq)
);
CREATE INDEX alerts_open ON alerts (id) WHERE acked IS NULL OR (cleared IS NULL AND type <> 'fever');
CREATE INDEX alerts_agent ON alerts (agent, at);`

// SchemaOpen makes the index of open alerts again: a lost journal does not end
// either.
const SchemaOpen = `
DROP INDEX alerts_open;
CREATE INDEX alerts_open ON alerts (id)
	WHERE acked IS NULL OR (cleared IS NULL AND type NOT IN ('fever', 'journal-lost'));`

// SchemaRuns adds what the alert of a run is about.
const SchemaRuns = `
ALTER TABLE alerts ADD COLUMN about TEXT NOT NULL DEFAULT ''; -- the run, as JSON
CREATE INDEX alerts_about ON alerts (alarm) WHERE about <> '';
DROP INDEX alerts_open;
CREATE INDEX alerts_open ON alerts (id) WHERE acked IS NULL OR (cleared IS NULL
	AND type NOT IN ('fever', 'journal-lost', 'run-dry', 'run-leak', 'run-disputed'));`

// SchemaSaid adds the seq of the record whose detail holds.
const SchemaSaid = `
ALTER TABLE alerts ADD COLUMN said INTEGER NOT NULL DEFAULT 0;
UPDATE alerts SET said = seq;`

// SchemaLast finds the last alerts among those of years.
const SchemaLast = `
CREATE INDEX alerts_at ON alerts (at);`

// SchemaCalls adds what the county knows of a guard's call.
const SchemaCalls = `
ALTER TABLE alerts ADD COLUMN call TEXT NOT NULL DEFAULT ''; -- as JSON
CREATE INDEX alerts_calls ON alerts (agent) WHERE type = 'help-called' AND cleared IS NULL;`

// SchemaSettled adds what second measurements have said of fevers. A passage is settled by
// what is said of its episode.
const SchemaSettled = `
ALTER TABLE alerts ADD COLUMN settled TEXT NOT NULL DEFAULT ''; -- as JSON
CREATE TABLE fevers (
	jid     TEXT NOT NULL,
	passage INTEGER NOT NULL,            -- its seq
	episode TEXT NOT NULL,               -- its id
	settled TEXT NOT NULL DEFAULT '',
	cleared INTEGER,                     -- when it was found that it is no fever
	at      INTEGER NOT NULL,            -- when it was taken in
	PRIMARY KEY (jid, passage)
) WITHOUT ROWID;
CREATE INDEX fevers_episode ON fevers (jid, episode);`
