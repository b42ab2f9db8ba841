package people

import "slices"

// Role is what somebody is at the desk. It says which acts are allowed.
type Role string

// The roles.
const (
	Viewer  Role = "viewer"  // counts, gates, machines and runs; nothing about a single person
	Duty    Role = "duty"    // duty officer: alerts, calls, notices
	Crew    Role = "crew"    // crew lead: the runs of machines and their alerts
	Policy  Role = "policy"  // policy editor: why who passed or not
	Admin   Role = "admin"   // everything
	Auditor Role = "auditor" // what was done and what is kept, by whom and for how long
)

// Roles returns all roles.
func Roles() []Role { return []Role{Viewer, Duty, Crew, Policy, Admin, Auditor} }

// Act is something that one may do at the desk. Every request of a page is one.
type Act string

// The acts.
const (
	ActAnybody    Act = "anybody"    // without a session: the page itself, log-in, set-up
	ActSee        Act = "see"        // counts, gates, machines, runs, notices; alerts without who they are about
	ActPassages   Act = "passages"   // single passages, why they were decided so, and alerts in full
	ActRunAlerts  Act = "run-alerts" // acknowledge alerts about runs
	ActAlerts     Act = "alerts"     // acknowledge all alerts
	ActCalls      Act = "calls"      // answer calls of guards
	ActNotices    Act = "notices"    // write and remove notices for guards
	ActOpen       Act = "open"       // open the barrier of a gate; asks for the password
	ActCommand    Act = "command"    // show a guard a notice at once, let a gate reload or restart
	ActLosses     Act = "losses"     // see what was not stored: quarantine and holes
	ActQuarantine Act = "quarantine" // store what is in quarantine after all, or drop it
	ActRetention  Act = "retention"  // see for how long records are kept
	ActAccount    Act = "account"    // one's own password and sessions; not with a token
	ActPeople     Act = "people"     // see users, invite, disable, reset; their roles and sessions
	ActEnrol      Act = "enrol"      // put gates into service, and out of it
	ActUpgrade    Act = "upgrade"    // see which gates run which version, and upgrade them
	ActRules      Act = "rules"      // write, approve and take back what gates decide by
	ActAudit      Act = "audit"      // see who did and looked at what
	ActAgree      Act = "agree"      // see what waits for a second person, and agree to it
	ActEnd        Act = "end"        // see how far the end of the county's service is, and its certificate
	ActEndBegin   Act = "end-begin"  // ask for the end, and tell the gates once another person has agreed
	ActTokens     Act = "tokens"     // make and revoke tokens of programs
)

// allowed says which roles may do what. deploy/PEOPLE.md has the same table.
var allowed = []struct {
	act   Act
	roles []Role
}{
	{ActSee, []Role{Viewer, Duty, Crew, Policy, Admin, Auditor}},
	{ActPassages, []Role{Duty, Policy, Admin}},
	{ActRunAlerts, []Role{Duty, Crew, Admin}},
	{ActAlerts, []Role{Duty, Admin}},
	{ActCalls, []Role{Duty, Admin}},
	{ActNotices, []Role{Duty, Admin}},
	{ActOpen, []Role{Duty, Admin}},
	{ActCommand, []Role{Duty, Admin}},
	{ActLosses, []Role{Duty, Admin}},
	{ActQuarantine, []Role{Admin}},
	{ActRetention, []Role{Admin, Auditor}},
	{ActAccount, []Role{Viewer, Duty, Crew, Policy, Admin, Auditor}},
	{ActPeople, []Role{Admin}},
	{ActTokens, []Role{Admin}},
	{ActEnrol, []Role{Admin}},
	{ActUpgrade, []Role{Admin}},
	{ActRules, []Role{Policy, Admin}},
	{ActAudit, []Role{Admin, Auditor}},
	{ActAgree, []Role{Policy, Admin, Auditor}},
	{ActEnd, []Role{Admin, Auditor}},
	{ActEndBegin, []Role{Admin}},
}

// Acts returns all acts but ActAnybody.
func Acts() []Act {
	var out []Act
	for _, a := range allowed {
		out = append(out, a.act)
	}
	return out
}

// May reports whether a role may do an act.
func May(role Role, act Act) bool {
	for _, a := range allowed {
		if a.act == act {
			return slices.Contains(a.roles, role)
		}
	}
	return act == ActAnybody
}

// Actor is who does something.
type Actor struct {
	Name string // of a user; of a program "token " and the token's name; "" is the operator of this computer
	Role Role
	From string // an address, or Terminal
}

// Terminal is from where the operator of this computer acts.
const Terminal = "terminal"

// Operator returns the operator of this computer, who uses its commands.
func Operator() Actor { return Actor{Role: Admin, From: Terminal} }

// Session is who asks for something.
type Session struct {
	Actor

	ID       string // for people, in lists; empty: not a user's session, but a program's token
	Provided bool   // the user logs in at the provider of identities
}

// May reports whether who asks may do an act. A program has no account of its own.
func (s Session) May(act Act) bool { return May(s.Role, act) && (act != ActAccount || s.ID != "") }
