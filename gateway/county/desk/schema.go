package desk

import (
	"fmt"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/checks"
	"gatehouse/gateway/county/command"
	"gatehouse/gateway/county/consent"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/end"
	"gatehouse/gateway/county/fleet"
	"gatehouse/gateway/county/follow"
	"gatehouse/gateway/county/notices"
	"gatehouse/gateway/county/passages"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/county/rules"
	"gatehouse/gateway/county/speak"
	"gatehouse/gateway/county/versions"
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

// Schema returns the version of the file's schema that this program has.
func Schema() int { return len(steps()) }

// steps are those of the file's schema, each with the tables of the packages
// that had something new in that version. Released ones never change.
func steps() []string {
	return []string{
		follow.Schema + passages.Schema + alerts.Schema + people.Schema,
		fleet.Schema,
		presence.Schema,
		presence.SchemaOrigin + alerts.SchemaOpen,
		alerts.SchemaSaid,
		follow.SchemaNewest,
		alerts.SchemaRuns,
		people.SchemaSecrets,
		fleet.SchemaIndexes + alerts.SchemaLast,
		alerts.SchemaCalls + notices.Schema + speak.Schema,
		alerts.SchemaSettled,
		audit.Schema,
		registry.Schema,
		checks.Schema,
		people.SchemaRoles,
		registry.SchemaSigners,
		consent.Schema,
		rules.Schema,
		registry.SchemaRecipients,
		people.SchemaProvided,
		command.Schema,
		end.Schema,
		versions.Schema,
	}
}
