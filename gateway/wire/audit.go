package wire

import "errors"

// Audit is what somebody did at the gate's screen, or what the county has said of its own
// audit.
type Audit struct {
	Actor   string `json:"actor"`             // id of the guard; guard where nobody signs in
	Action  string `json:"action"`            // code; see WIRE.md
	Passage uint64 `json:"passage,omitempty"` // seq of the passage it answers
	Alarm   string `json:"alarm,omitempty"`   // id of the alarm it answers
	By      string `json:"by,omitempty"`      // of a sign-in: card or pin
	Reason  string `json:"reason,omitempty"`  // of an override: one of the policy's; of a command: why
	// AfterMS is how long what is answered had been on the screen, ms; 0: not known.
	AfterMS  int64     `json:"after_ms,omitempty"`
	Handover *Handover `json:"handover,omitempty"`
	Episode  string    `json:"episode,omitempty"` // of retest-now: id of the fever episode that is measured
	Lane     string    `json:"lane,omitempty"`    // of retest-now: absent where the episode began; of county-open
	// Head is that of the county's audit, of county-head: nobody did anything at the gate.
	Head *AuditHead `json:"head,omitempty"`
	// Command is what became of a command of the county; nobody did anything at the gate.
	Command *Commanded `json:"command,omitempty"`
	// Rules are those by which the gate judges from here on, of rules-applied.
	Rules *RulesApplied `json:"rules,omitempty"`
}

// OfCounty reports whether it is about what the county did or said, and nobody at the gate.
func (a *Audit) OfCounty() bool { return a.Head != nil || a.Command != nil || a.Rules != nil }

// Handover is what one guard leaves to the next.
type Handover struct {
	Notes []string `json:"notes,omitempty"` // codes that the leaving guard has chosen; see WIRE.md
	Open  []string `json:"open,omitempty"`  // ids of the alarms that held
}

// Kind is KindAudit.
func (*Audit) Kind() Kind { return KindAudit }

// Check returns an error that says what is missing.
func (a *Audit) Check() error {
	if a.Actor == "" || a.Action == "" {
		return errors.New("actor or action is missing")
	}
	if c := a.Command; c != nil && (!validNonce(c.ID) || !c.Outcome.Valid()) {
		return errors.New("the command has no id, or no outcome that is known")
	}
	return nil
}
