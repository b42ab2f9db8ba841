package policy

import (
	"strings"
	"testing"
	"time"
)

const manned = `version: "1"
limits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}
classes: {resident: {fever: go-home, directions: [in]}}
duty: {check: 2h, answer: 3m, quiet: 90m, hours: [{from: "06:00", until: "22:00"}]}
escalate: {after: 1m}
overrides:
  verdicts: [refuse, retest, pass]
  reasons:
  - {code: medical, emergency: true}
  - {code: fire-drill, zh: 消防演习, en: Fire drill, alert: true}
`

func TestThePostOfAPolicy(t *testing.T) {
	p, err := Parse([]byte(manned))
	if err != nil {
		t.Fatal(err)
	}
	at := func(hour int) time.Time { return time.Date(2020, 2, 14, hour, 0, 0, 0, time.UTC) }
	if p.Duty.Within() != 3*time.Minute || p.Escalate.Limit() != time.Minute || p.Duty.Open(at(5)) ||
		!p.Duty.Open(at(6)) {
		t.Errorf("%+v", p.Post)
	}
	if r, ok := p.Overrides.Reason("fire-drill"); !ok || r.Zh != "消防演习" || !r.Alert || r.Emergency {
		t.Errorf("%+v", r)
	}
	if _, ok := p.Overrides.Reason("fire"); ok {
		t.Error("a reason that is not listed")
	}
	var none Policy
	if _, ok := none.Overrides.Reason("medical"); ok || none.Duty.Within() != 5*time.Minute ||
		none.Escalate.Limit() != 2*time.Minute || !none.Duty.Open(at(5)) {
		t.Errorf("%+v", none.Post)
	}
}

func TestWhatIsWrongInThePostIsSaidWithItsLine(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"check too soon":  {"check: 2h", "check: 9s", "line 4: duty.check 9s: must be 20s to 24h0m0s"},
		"check too late":  {"check: 2h", "check: 25h", "duty.check"},
		"the least check": {"check: 2h", "check: 20s", ""},
		"the longest":     {"check: 2h", "check: 24h", ""},
		"answer too soon": {"answer: 3m", "answer: 9s", "line 4: duty.answer 9s"},
		"answer to what":  {"check: 2h, ", "", "duty.answer: write check, too"},
		"quiet":           {"quiet: 90m", "quiet: 1m", "line 4: duty.quiet 1m0s"},
		"hours of what":   {"quiet: 90m, ", "", "duty.hours: write quiet, too"},
		"an hour":         {`"06:00"`, `"6"`, "line 4: duty.hours.from"},
		"a way":           {`"22:00"`, `"22:00", directions: [in]`, "duty.hours[0]: people come or they don't"},
		"after":           {"after: 1m", "after: 9s", "line 5: escalate.after 9s"},
		"long after":      {"after: 1m", "after: 2h", "line 5: escalate.after 2h0m0s"},
		"a fever":         {"[refuse", "[fever", "line 7: overrides.verdicts: nobody lets a fever pass"},
		"a verdict":       {"[refuse", "[refused", `overrides.verdicts: "refused" is none of`},
		"twice":           {"[refuse", "[retest", "overrides.verdicts: \"retest\" is there twice"},
		"no verdicts":     {"[refuse, retest, pass]", "[]", "overrides.verdicts: write which"},
		"a code":          {"code: medical", "code: 就医", "overrides.reasons: code \"就医\""},
		"a code twice":    {"code: medical", "code: fire-drill", "overrides.reasons: fire-drill is there twice"},
		"too many words":  {"消防演习", strings.Repeat("长", 41), "longer than 40 characters"},
		"many words":      {"消防演习", strings.Repeat("长", 40), ""},
		"a word too many": {"Fire drill", strings.Repeat("x", 41), "longer than 40 characters"},
		"an unknown key":  {"emergency: true", "urgent: true", "urgent"},
		"no reasons": {manned[strings.Index(manned, "  reasons:"):], "  reasons: []\n",
			"overrides.reasons: write 1"},
		"too many reasons": {"  - {code: medical", strings.Repeat("  - {code: x}\n", 12) + "  - {code: medical",
			"1 to 12"},
	} {
		text := strings.Replace(manned, c.old, c.new, 1)
		_, err := Parse([]byte(text))
		said := err != nil && strings.Contains(err.Error(), c.want)
		if text == manned || c.want == "" && err != nil || c.want != "" && !said {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
