package desk

import (
	"fmt"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/fleet"
	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/county/passages"
	"gatehouse/gateway/county/presence"
)

// OpenFile opens the desk's file, and makes it when it is missing. What comes
// from gates can be made again from the store; users and what they did can't.
func OpenFile(path string) (*db.File, error) {
	file, err := db.Open(path, steps()...)
	if err != nil {
		return nil, fmt.Errorf("open the desk: %w", err)
	}
	return file, nil
}

// steps are those of the file's schema, each with the tables of the packages
// that had something new in that version. Released ones never change.
func steps() []string {
	return []string{
		follow.Schema + passages.Schema + alerts.Schema + schemaPeople,
		fleet.Schema,
		presence.Schema,
		presence.SchemaOrigin + alerts.SchemaOpen,
		alerts.SchemaSaid,
		follow.SchemaNewest,
	}
}

const schemaPeople = `
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
