package books

// The schema of the collector's file, whichever store keeps the records, so
// that the file stays the same when the county changes the store. All times are
// unix nanoseconds.
const schemaTables = `
CREATE TABLE meta (
	key   TEXT PRIMARY KEY,
	value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE journals (
	id         INTEGER PRIMARY KEY,
	jid        TEXT NOT NULL UNIQUE,
	agent      TEXT NOT NULL,
	through    INTEGER NOT NULL DEFAULT 0, -- the watermark
	community  TEXT NOT NULL,
	grid       TEXT NOT NULL,
	compound   TEXT NOT NULL,
	first_seen INTEGER NOT NULL
);
-- The records, where SQLite stores them: it commits them together with the
-- watermark. Empty beside InfluxDB.
CREATE TABLE records (
	journal  INTEGER NOT NULL REFERENCES journals,
	seq      INTEGER NOT NULL,
	at       INTEGER NOT NULL,
	received INTEGER NOT NULL,
	kind     TEXT NOT NULL,
	raw      BLOB NOT NULL,                -- the record's bytes as the journal wrote them
	PRIMARY KEY (journal, seq)
) WITHOUT ROWID;
CREATE TABLE holes (
	journal  INTEGER NOT NULL REFERENCES journals,
	first    INTEGER NOT NULL,
	last     INTEGER NOT NULL,
	reason   TEXT NOT NULL,
	at       INTEGER NOT NULL,
	PRIMARY KEY (journal, first, last)
) WITHOUT ROWID;
CREATE TABLE quarantine (
	id     INTEGER PRIMARY KEY,
	at     INTEGER NOT NULL,
	agent  TEXT NOT NULL,
	jid    TEXT NOT NULL,
	seq    INTEGER NOT NULL,
	topic  TEXT NOT NULL,
	reason TEXT NOT NULL,
	hash   BLOB NOT NULL,
	raw    BLOB NOT NULL,
	UNIQUE (agent, hash)
);
-- The newest records of a store elsewhere: one row a batch, a digest of 8 bytes
-- a record. They distinguish a repeated record from another content under the
-- same seq without reading the record back.
CREATE TABLE digests (
	journal INTEGER NOT NULL REFERENCES journals,
	seq     INTEGER NOT NULL, -- of the first record
	seqs    BLOB NOT NULL,    -- the others' distances from it, 4 bytes each
	sums    BLOB NOT NULL,
	PRIMARY KEY (journal, seq)
) WITHOUT ROWID;`

// schemaAgents is what version 2 adds: an agent's journals are looked up when it
// may send again what is stored under another one of them.
const schemaAgents = `CREATE INDEX journals_agent ON journals (agent);`

// schemaMarks is what version 3 adds: the watermarks of the past, an hour apart,
// for Rewind.
const schemaMarks = `
CREATE TABLE marks (
	journal INTEGER NOT NULL REFERENCES journals,
	at      INTEGER NOT NULL, -- by the collector's clock
	through INTEGER NOT NULL,
	PRIMARY KEY (journal, at)
) WITHOUT ROWID;`

// schemaShares is what version 4 adds: how much of the quarantine is each
// agent's; the row '*' is the sum.
const schemaShares = `
CREATE TABLE shares (
	agent TEXT PRIMARY KEY,
	rows  INTEGER NOT NULL,
	bytes INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO shares SELECT agent, count(*), sum(length(raw) + length(topic) + length(reason))
	FROM quarantine GROUP BY agent;
INSERT INTO shares SELECT '*', coalesce(sum(rows), 0), coalesce(sum(bytes), 0) FROM shares;
CREATE TRIGGER quarantine_in AFTER INSERT ON quarantine BEGIN
	INSERT INTO shares VALUES (new.agent, 1, length(new.raw) + length(new.topic) + length(new.reason)),
		('*', 1, length(new.raw) + length(new.topic) + length(new.reason))
		ON CONFLICT DO UPDATE SET rows = rows + excluded.rows, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER quarantine_out AFTER DELETE ON quarantine BEGIN
	UPDATE shares SET rows = rows - 1, bytes = bytes - length(old.raw) - length(old.topic) - length(old.reason)
		WHERE agent IN (old.agent, '*');
	DELETE FROM shares WHERE rows = 0 AND agent <> '*';
END;`
