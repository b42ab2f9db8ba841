package fact

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Role is somebody whom a guard can ask for help. It names an office, never a person.
type Role string

// The roles.
const (
	RoleDoctor    Role = "doctor"
	RoleGrid      Role = "grid"      // the grid worker
	RoleCommunity Role = "community" // the community's office
	RoleCounty    Role = "county"    // who is on duty at the county
	RoleIT        Role = "it"        // who mends devices and computers
)

// Roles returns all roles, in the order in which screens list them.
func Roles() []Role { return []Role{RoleDoctor, RoleGrid, RoleCommunity, RoleCounty, RoleIT} }

// Valid reports whether r is a role.
func (r Role) Valid() bool { return slices.Contains(Roles(), r) }

// CallID returns the id of the alarm with which a guard asks for a role, about the passage
// with this seq; 0: about none.
func CallID(r Role, passage uint64) string {
	return AlarmHelpCalled.ID(string(r) + "-" + strconv.FormatUint(passage, 10))
}

// CalledRole returns whom an alarm of the type help-called asks for: it is in its id. ok is
// false when the id is none that CallID returns.
func CalledRole(id string) (r Role, ok bool) {
	about, found := strings.CutPrefix(id, string(AlarmHelpCalled)+":")
	name, seq, cut := strings.Cut(about, "-")
	n, err := strconv.ParseUint(seq, 10, 64)
	r = Role(name)
	if !found || !cut || err != nil || !r.Valid() || CallID(r, n) != id {
		return "", false
	}
	return r, true
}

// CallState says how far a call has come, as the county's desk has it.
type CallState string

// The states of a call that has not ended.
const (
	CallAsked    CallState = "asked"    // nobody has seen it
	CallSeen     CallState = "seen"     // somebody has, and has not answered
	CallAnswered CallState = "answered" // somebody has answered
)

// Valid reports whether s is a state of a call.
func (s CallState) Valid() bool { return s == CallAsked || s == CallSeen || s == CallAnswered }

// CallAnswer is what the desk answers to a call.
type CallAnswer string

// The answers.
const (
	AnswerOnTheWay     CallAnswer = "on-the-way"    // somebody comes, within some minutes
	AnswerCallUs       CallAnswer = "call-us"       // the guard is to telephone
	AnswerNotAvailable CallAnswer = "not-available" // the role can't come; the guard is to telephone
)

// MaxCallMinutes bounds in how many minutes somebody who is on the way may arrive.
const MaxCallMinutes = 240

// How a call has ended: what the guard said. They are actions of audit records, and the
// detail of the cleared alarm.
const (
	CallArrived = "help-arrived" // who was called is here
	CallReached = "help-reached" // they were reached by telephone
)

// CheckAnswer returns what is wrong with an answer: minutes belong to somebody who is on the
// way, 0 where it is not known; a telephone number is needed by who is not available.
func CheckAnswer(a CallAnswer, minutes int, phone string) error {
	switch {
	case a != AnswerOnTheWay && a != AnswerCallUs && a != AnswerNotAvailable:
		return errors.New("the answer is none of on-the-way, call-us and not-available")
	case minutes < 0 || minutes > MaxCallMinutes:
		return errors.New("minutes are 0 (not known) to " + strconv.Itoa(MaxCallMinutes))
	case minutes > 0 && a != AnswerOnTheWay:
		return errors.New("minutes belong to the answer on-the-way only")
	case phone == "" && a == AnswerNotAvailable:
		return errors.New("the telephone number is missing: whom is the guard to call instead?")
	case phone != "":
		return CheckPhone(phone)
	}
	return nil
}

const (
	minPhone = 3
	maxPhone = 24
)

// CheckPhone returns an error unless s is a telephone number as people write it.
func CheckPhone(s string) error {
	digits := 0
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case !strings.ContainsRune("+-() #*", c):
			return errors.New("a telephone number has digits, blanks and + - ( ) # * only")
		}
	}
	if digits < minPhone || len(s) > maxPhone || strings.TrimSpace(s) != s {
		return errors.New("a telephone number has 3 digits at least, and 24 characters at most")
	}
	return nil
}
