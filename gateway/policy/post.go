package policy

import (
	"regexp"
	"slices"
	"time"

	"gatehouse/gateway/fact"
)

// Post is the part of the policy that is about the guards of a gate.
type Post struct {
	Duty      Duty       `yaml:"duty,omitempty"`
	Escalate  Escalate   `yaml:"escalate,omitempty"`
	Overrides *Overrides `yaml:"overrides,omitempty"` // absent: no guard decides against a verdict
}

// Duty says when the county is told that a post does not seem to be manned or used.
type Duty struct {
	Check  time.Duration `yaml:"check,omitempty"`  // without a key pressed, the screen asks; absent: never
	Answer time.Duration `yaml:"answer,omitempty"` // for the answer, before the county is told; absent: 5m
	Quiet  time.Duration `yaml:"quiet,omitempty"`  // without anybody at the gate in Hours; absent: not looked at
	Hours  []Window      `yaml:"hours,omitempty"`  // in which people come; absent: all day
}

// Escalate says when the county is told that the guard does not answer.
type Escalate struct {
	After time.Duration `yaml:"after,omitempty"` // of a red verdict; absent: 2m
}

// Defaults of Duty and Escalate.
const (
	DefaultAnswer   = 5 * time.Minute
	DefaultEscalate = 2 * time.Minute
)

// Within returns how long the guard may take to answer the screen's question.
func (d Duty) Within() time.Duration {
	if d.Answer == 0 {
		return DefaultAnswer
	}
	return d.Answer
}

// Open reports whether people usually come at a moment of the county's time.
func (d Duty) Open(at time.Time) bool {
	return len(d.Hours) == 0 || slices.ContainsFunc(d.Hours, func(w Window) bool { return w.Open(at) })
}

// Limit returns after how long a red verdict that is not answered is told to the county.
func (e Escalate) Limit() time.Duration {
	if e.After == 0 {
		return DefaultEscalate
	}
	return e.After
}

// Overrides says which verdicts a guard may decide against, and for which reasons.
// Nobody lets a fever pass, or somebody with a forged pass.
type Overrides struct {
	Verdicts []fact.Verdict   `yaml:"verdicts,flow"` // refuse, retest, invalid; pass: the guard may stop somebody
	Reasons  []OverrideReason `yaml:"reasons"`
}

// OverrideReason is a reason that a guard may choose.
type OverrideReason struct {
	Code      string `yaml:"code"`                // such as medical
	Zh        string `yaml:"zh,omitempty"`        // words for a code that the screens do not know
	En        string `yaml:"en,omitempty"`        //
	Alert     bool   `yaml:"alert,omitempty"`     // the county is told at once
	Emergency bool   `yaml:"emergency,omitempty"` // a declared medical emergency: sealed households may leave
}

// Reason returns the reason of a code.
func (o *Overrides) Reason(code string) (r OverrideReason, ok bool) {
	if o == nil {
		return r, false
	}
	i := slices.IndexFunc(o.Reasons, func(r OverrideReason) bool { return r.Code == code })
	if i < 0 {
		return r, false
	}
	return o.Reasons[i], true
}

// Ranges of what is configured about a post.
const (
	checkMin, checkMax   = 20 * time.Second, 24 * time.Hour
	answerMin, answerMax = 10 * time.Second, time.Hour
	quietMin, quietMax   = 10 * time.Minute, 24 * time.Hour
	afterMin, afterMax   = 10 * time.Second, time.Hour
	reasonsMax           = 12 // that a screen can show
	wordsMax             = 40 // characters of a reason
)

var reasonCode = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

func (c *checker) post(p Post) {
	d := c.at("duty")
	d.span("check", p.Duty.Check, checkMin, checkMax)
	d.span("answer", p.Duty.Answer, answerMin, answerMax)
	d.span("quiet", p.Duty.Quiet, quietMin, quietMax)
	if len(p.Duty.Hours) > 0 && p.Duty.Quiet == 0 {
		d.fault("hours", ": write quiet, too")
	}
	if p.Duty.Answer != 0 && p.Duty.Check == 0 {
		d.fault("answer", ": write check, too")
	}
	for i, w := range p.Duty.Hours[:min(len(p.Duty.Hours), listMax)] {
		if len(w.Directions) > 0 {
			d.fault("hours", "[%d]: people come or they don't: leave directions away", i)
		}
		d.at("hours").window(w, Class{})
	}
	c.at("escalate").span("after", p.Escalate.After, afterMin, afterMax)
	if p.Overrides != nil {
		c.at("overrides").overrides(*p.Overrides)
	}
}

// span demands that a time is absent or in a range.
func (c *checker) span(key string, d, least, most time.Duration) {
	if d != 0 && (d < least || d > most) {
		c.fault(key, " %s: must be %s to %s", d, least, most)
	}
}

func (c *checker) overrides(o Overrides) {
	for i, v := range o.Verdicts {
		switch v {
		case fact.VerdictPass, fact.VerdictRefuse, fact.VerdictRetest, fact.VerdictInvalid:
			if slices.Contains(o.Verdicts[:i], v) {
				c.fault("verdicts", ": %q is there twice", v)
			}
		case fact.VerdictFever:
			c.fault("verdicts", ": nobody lets a fever pass: leave fever away")
		default:
			c.fault("verdicts", ": %q is none of refuse, retest, invalid and pass", v)
		}
	}
	if len(o.Verdicts) == 0 {
		c.fault("verdicts", ": write which of refuse, retest, invalid and pass a guard may decide against")
	}
	if n := len(o.Reasons); n == 0 || n > reasonsMax {
		c.fault("reasons", ": write 1 to %d", reasonsMax)
	}
	for i, r := range o.Reasons[:min(len(o.Reasons), reasonsMax)] {
		switch same := func(x OverrideReason) bool { return x.Code == r.Code }; {
		case !reasonCode.MatchString(r.Code):
			c.fault("reasons", ": code %.40q: write small letters, digits and hyphens, such as medical", r.Code)
		case slices.ContainsFunc(o.Reasons[:i], same):
			c.fault("reasons", ": %s is there twice", r.Code)
		case len([]rune(r.Zh)) > wordsMax || len([]rune(r.En)) > wordsMax:
			c.fault("reasons", ": the words of %s are longer than %d characters", r.Code, wordsMax)
		}
	}
}
