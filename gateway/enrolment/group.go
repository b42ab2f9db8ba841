package enrolment

import "fmt"

// GroupError names the first group of a code that is wrong. It wraps ErrCode.
type GroupError struct {
	Group int    // from 1
	Typed string // as it was typed; shorter than a group: the code ends within it
}

// Line returns the line of the printed code in which the group stands, from 1.
func (e *GroupError) Line() int { return (e.Group-1)/groupsALine + 1 }

func (e *GroupError) Error() string {
	if len(e.Typed) < groupChars {
		return fmt.Sprintf("%s: it ends within group %d: each group has %d characters", ErrCode, e.Group, groupChars)
	}
	return fmt.Sprintf("%s: compare group %d (line %d), which is typed as %s, or has one character too many or too few",
		ErrCode, e.Group, e.Line(), e.Typed)
}

func (e *GroupError) Unwrap() error { return ErrCode }
