-- The file of the version before positions had times (schema 5), with a row in each table.
CREATE TABLE progress (               -- how far each journal is taken in
	jid     TEXT PRIMARY KEY,
	agent   TEXT NOT NULL,
	through INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE passages (               -- the last ones of each gate
	jid       TEXT NOT NULL,
	seq       INTEGER NOT NULL,
	agent     TEXT NOT NULL,
	at        INTEGER NOT NULL,
	verdict   TEXT NOT NULL,
	reasons   TEXT NOT NULL,
	screening INTEGER,                -- hundredths of a degree Celsius
	ambient   INTEGER,
	direction TEXT NOT NULL,
	class     TEXT NOT NULL,
	readings  TEXT NOT NULL,          -- JSON array of seqs
	PRIMARY KEY (jid, seq)
) WITHOUT ROWID;
CREATE INDEX passages_at ON passages (agent, at);
CREATE TABLE hours (                  -- what each gate did in each hour
	agent   TEXT NOT NULL,
	hour    INTEGER NOT NULL,         -- unix hours
	pass    INTEGER NOT NULL, retest INTEGER NOT NULL, invalid INTEGER NOT NULL,
	refuse  INTEGER NOT NULL, fever  INTEGER NOT NULL,
	temps   INTEGER NOT NULL,         -- screening temperatures of passes and fevers
	sum     INTEGER NOT NULL,         -- of them, hundredths of a degree
	PRIMARY KEY (hour, agent)
) WITHOUT ROWID;
CREATE INDEX hours_agent ON hours (agent, hour);
CREATE TABLE alerts (
	id        INTEGER PRIMARY KEY,
	agent     TEXT NOT NULL,
	jid       TEXT NOT NULL,          -- 'desk' for what the desk itself sees
	alarm     TEXT NOT NULL,          -- id at its source
	type      TEXT NOT NULL,
	device    TEXT NOT NULL,
	detail    TEXT NOT NULL,
	screening INTEGER,
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
CREATE INDEX alerts_agent ON alerts (agent, at);
CREATE TABLE users (
	name    TEXT PRIMARY KEY,
	hash    BLOB NOT NULL,            -- bcrypt
	created INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE invites (
	hash    BLOB PRIMARY KEY,         -- SHA-256 of the token
	invited_by TEXT NOT NULL,
	expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE sessions (
	hash    BLOB PRIMARY KEY,         -- SHA-256 of the token
	name    TEXT NOT NULL,
	expires INTEGER NOT NULL
) WITHOUT ROWID;
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
) WITHOUT ROWID;
CREATE TABLE lineages (               -- each agent's journal at its last heartbeat
	agent   TEXT PRIMARY KEY,
	jid     TEXT NOT NULL,
	last    INTEGER NOT NULL,
	through INTEGER NOT NULL
) WITHOUT ROWID;
ALTER TABLE lineages ADD COLUMN origin TEXT NOT NULL DEFAULT ''; -- empty: an agent that tells none
DROP INDEX alerts_open;
CREATE INDEX alerts_open ON alerts (id) WHERE acked IS NULL OR (cleared IS NULL AND type NOT IN ('fever', 'journal-lost'));
ALTER TABLE alerts ADD COLUMN said INTEGER NOT NULL DEFAULT 0; -- seq of the record whose words stand
UPDATE alerts SET said = seq;
INSERT INTO progress VALUES ('0190b1c2-0000-7000-8000-00000000000a', 'gate-001', 4);
INSERT INTO passages VALUES ('0190b1c2-0000-7000-8000-00000000000a', 2, 'gate-001', 1581660000000000000, 'pass', 'normal', 3650, 2000, 'in', 'resident', '[1]');
INSERT INTO hours VALUES ('gate-001', 439350, 1, 0, 0, 0, 0, 1, 3650);
INSERT INTO alerts (agent, jid, alarm, type, device, detail, passage, seq, said, at)
	VALUES ('gate-001', '0190b1c2-0000-7000-8000-00000000000a', 'device-gone:reader', 'device-gone', 'reader', 'unplugged', 0, 3, 3, 1581660000000000000),
	('gate-002', 'desk', 'gate-silent:gate-002', 'gate-silent', '', 'no heartbeat', 0, 1581660000000000, 1581660000000000, 1581660000000000000);
INSERT INTO users VALUES ('wang', x'00', 1581660000000000000);
INSERT INTO invites VALUES (x'01', '', 4102444800000000000);
INSERT INTO sessions VALUES (x'02', 'wang', 4102444800000000000);
INSERT INTO machines VALUES ('fogger-9', 'fogger-9', '9号', 'fogger', 1581660000000000000, '{"t_ms":0,"tank_pct":50}');
INSERT INTO runs VALUES ('fogger-9', 'r', '0190b1c2-0000-7000-8000-00000000000b', 7, 'closed', 1581660000000000000, 1581660060000000000,
	'{"machine":"fogger-9","run":"r","name":"9号","type":"fogger","source":"report","state":"closed","start":"2020-02-14T06:00:00Z","end":"2020-02-14T06:01:00Z","sorties":1,"grade":"measured","reasons":[],"faults":[]}');
INSERT INTO tracks VALUES ('fogger-9', 1581660000000000000, '0190b1c2-0000-7000-8000-00000000000b', 6, '', '[{"t_ms":0,"tank_pct":50}]');
INSERT INTO lineages VALUES ('gate-001', '0190b1c2-0000-7000-8000-00000000000a', 4, 4, '0190b1c2-0000-7000-8000-00000000000a');
PRAGMA user_version = 5;
