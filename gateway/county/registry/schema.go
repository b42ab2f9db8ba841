package registry

// Schema creates the tables. Times are unix nanoseconds; 0: never. It is a step of the
// desk's file.
const Schema = `
CREATE TABLE identities (
	name        TEXT PRIMARY KEY,         -- id of the agent
	kind        TEXT NOT NULL,            -- agent, machine, reader
	serial      TEXT NOT NULL,            -- of the certificate that counts
	certificate BLOB NOT NULL,            -- DER
	spki        BLOB NOT NULL,            -- its public key, DER
	issued      INTEGER NOT NULL,
	not_after   INTEGER NOT NULL,
	approved_at INTEGER NOT NULL,
	approved_by TEXT NOT NULL,
	revoked_at  INTEGER NOT NULL,
	revoked_by  TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE certificates (               -- all that were issued
	serial      TEXT PRIMARY KEY,
	name        TEXT NOT NULL,
	spki        BLOB NOT NULL,
	not_after   INTEGER NOT NULL,
	revoked_at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX certificates_key ON certificates (spki);
CREATE TABLE enrol_codes (
	id          TEXT PRIMARY KEY,
	agent       TEXT NOT NULL UNIQUE,     -- a new code takes the place of the former one
	key         BLOB NOT NULL,            -- Ed25519, public
	authority   BLOB NOT NULL,            -- begin of the SHA-256 of the authority's key
	made_at     INTEGER NOT NULL,
	made_by     TEXT NOT NULL,
	expires     INTEGER NOT NULL,
	request     TEXT NOT NULL             -- id of the request that has used it; empty: none
) WITHOUT ROWID;
CREATE TABLE enrol_requests (
	id          TEXT PRIMARY KEY,
	code        TEXT NOT NULL,
	agent       TEXT NOT NULL,
	spki        BLOB NOT NULL,
	recipient   TEXT NOT NULL,            -- age
	authority   BLOB NOT NULL,
	from_addr   TEXT NOT NULL,
	at          INTEGER NOT NULL,
	state       TEXT NOT NULL,            -- waiting, approved, refused
	decided_at  INTEGER NOT NULL,
	decided_by  TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE enrol_authority (            -- the one that issues
	spki        BLOB PRIMARY KEY
) WITHOUT ROWID;`
