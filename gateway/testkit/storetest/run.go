package storetest

import "testing"

// Run runs the suite against the stores that open returns.
func Run(t *testing.T, open Make) {
	for name, test := range map[string]func(t suite, reopen func() Opened){
		"what is committed is stored, byte for byte":                committed,
		"a batch committed again changes nothing":                   again,
		"a batch beyond the watermark is not stored":                gap,
		"an alarm sent ahead is stored once":                        ahead,
		"holes count as committed and are recorded":                 holes,
		"unreadable records go to quarantine, the rest commits":     bad,
		"another content under the same seq goes to quarantine":     conflict,
		"unknown fields are stored":                                 unknown,
		"everything is there after a restart":                       restart,
		"identity lasts and the term only rises":                    identity,
		"a journal's place is fixed at its first commit":            place,
		"poison is stored once with its reason":                     poison,
		"overlapping batches in any order lose nothing":             overlap,
		"many small batches within a second are all stored":         withinASecond,
		"two journals of one agent with the same times are stored":  twoJournals,
		"what a renewed journal sends again is stored once":         renewed,
		"a row of the quarantine that is good is stored at a retry": retried,
		"an alarm ahead may be far from the watermark":              farOff,
		"a record that is dropped leaves a hole":                    dropped,
		"any text is stored as it is":                               text,
		"an agent uses its share of the quarantine and no more":     share,
	} {
		t.Run(name, func(t *testing.T) {
			s, reopen := open(t)
			test(suite{t, s}, reopen)
		})
	}
}
