package desk

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/people"
)

// notes write what people do about users and tokens into the audit.
type notes struct {
	audit *audit.Log
	now   func() time.Time
}

// AuditPeople makes the audit keep what is done about users and tokens.
func AuditPeople(p *people.People, log *audit.Log, now func() time.Time) {
	p.KeepNotes(notes{log, now})
}

// Note implements people.Notes.
func (n notes) Note(ctx context.Context, tx *sql.Tx, x people.Note) error {
	object := x.Object
	switch {
	case object == "":
	case strings.HasSuffix(x.Action, "-token"):
		object = "token " + object
	default:
		object = "user " + object
	}
	return audit.Append(ctx, tx, n.now(), byOf(x.By), audit.Act{Action: audit.Action(x.Action), Object: object,
		Detail: x.Detail})
}

// Failed implements people.Notes.
func (n notes) Failed(now time.Time, by people.Actor) { n.audit.Failed(now, byOf(by)) }

// byOf says who acts as the audit does; the operator of this computer has a name there.
func byOf(a people.Actor) audit.By {
	if a == people.Operator() {
		by := audit.AtTerminal()
		by.Role = string(a.Role)
		return by
	}
	return audit.By{Actor: a.Name, Role: string(a.Role), From: a.From}
}
