package people

// Schema creates the tables. Times are unix nanoseconds. It is a step of the
// desk's file.
const Schema = `
CREATE TABLE users (
	name    TEXT PRIMARY KEY,
	hash    BLOB NOT NULL,            -- of the password; of bcrypt, as this version made them
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

// SchemaProvided lets users come from a provider of identities. It is a later step.
const SchemaProvided = `
ALTER TABLE users ADD COLUMN subject TEXT NOT NULL DEFAULT ''; -- issuer and id there; empty: the password is kept here
CREATE UNIQUE INDEX users_subject ON users (subject) WHERE subject <> '';`

// SchemaRoles gives users roles, and makes invitations and sessions anew: whoever
// was logged in logs in again. Who could log in before could do everything. It is a
// later step.
const SchemaRoles = `
ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'viewer';
ALTER TABLE users ADD COLUMN disabled INTEGER;     -- since when; null: not
ALTER TABLE users ADD COLUMN entered INTEGER;      -- the last log-in; null: none yet
UPDATE users SET role = 'admin';
DROP TABLE invites;
CREATE TABLE invites (
	hash       BLOB PRIMARY KEY,      -- SHA-256 of the token
	invited_by TEXT NOT NULL,         -- empty: the operator of the computer
	role       TEXT NOT NULL,         -- of the user that it makes
	user       TEXT NOT NULL,         -- whose password it sets; empty: it makes a user
	first      INTEGER NOT NULL,      -- 1: made because there was no user
	expires    INTEGER NOT NULL
) WITHOUT ROWID;
DROP TABLE sessions;
CREATE TABLE sessions (
	hash    BLOB PRIMARY KEY,         -- SHA-256 of the token
	name    TEXT NOT NULL,
	began   INTEGER NOT NULL,
	seen    INTEGER NOT NULL,         -- the last use, to a minute
	expires INTEGER NOT NULL,
	address TEXT NOT NULL,            -- of the browser
	browser TEXT NOT NULL             -- as it names itself
) WITHOUT ROWID;
CREATE TABLE tokens (
	name    TEXT PRIMARY KEY,
	hash    BLOB NOT NULL UNIQUE,     -- SHA-256 of the token
	role    TEXT NOT NULL,
	made    INTEGER NOT NULL,
	made_by TEXT NOT NULL,            -- empty: the operator of the computer
	expires INTEGER NOT NULL,
	used    INTEGER,                  -- the last use, to a minute; null: none yet
	address TEXT NOT NULL DEFAULT ''  -- of the last use
) WITHOUT ROWID;`
