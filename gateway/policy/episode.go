package policy

import "time"

// Episode says how somebody whose reading is too high is measured again before it is
// settled whether they have a fever.
type Episode struct {
	Wait    time.Duration `yaml:"wait"`             // in the warm, before the second measurement counts
	Expires time.Duration `yaml:"expires"`          // after the first reading: the episode ends, settled or not
	Second  Second        `yaml:"second,omitempty"` // absent: other-device
}

// Second says which normal second measurement shows that somebody has no fever. A value
// of a contact thermometer always does.
type Second string

// Which one does.
const (
	SecondAny     Second = "any"          // one of any thermometer
	SecondOther   Second = "other-device" // one of another thermometer than the first
	SecondContact Second = "contact"      // only one of a contact thermometer
)

// The ranges of an episode.
const (
	waitMin, waitMax = 10 * time.Second, 2 * time.Hour
	expiresMax       = 24 * time.Hour
)

func (c *checker) episode(e Episode) {
	if e.Wait < waitMin || e.Wait > waitMax {
		c.fault("wait", " %s: must be 10s to 2h", e.Wait)
	}
	if e.Expires <= e.Wait || e.Expires > expiresMax {
		c.fault("expires", " %s: must be longer than wait, and 24h at most", e.Expires)
	}
	c.oneOf("second", string(e.Second), string(SecondAny), string(SecondOther), string(SecondContact))
}
