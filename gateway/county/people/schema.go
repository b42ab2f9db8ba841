package people

// Schema creates the tables. Times are unix nanoseconds. It is a step of the
// desk's file.
const Schema = `
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
) WITHOUT ROWID;`

// SchemaSecrets keeps keys of the desk's own. It is a later step.
//
//nolint:gosec // the table of them, not one of them
const SchemaSecrets = `
CREATE TABLE secrets (
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
) WITHOUT ROWID;`
