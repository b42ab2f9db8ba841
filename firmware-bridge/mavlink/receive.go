package mavlink

import (
	"cmp"
	"fmt"
	"time"

	"github.com/bluenviron/gomavlib/v3/pkg/dialects/ardupilotmega"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/common"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/minimal"
	"github.com/bluenviron/gomavlib/v3/pkg/message"

	"gatehouse/devices/unheard"
	"gatehouse/firmware-bridge/runs"
)

// linkLost is how long after its last frame a vehicle may have been told something
// that was not heard.
const linkLost = 5 * time.Second

const pilot = 1 // component id of an autopilot

// Note is what a part of a vehicle says that is no fault of the vehicle.
type Note struct{ Text string }

func (n *Note) Error() string { return n.Text }

// receiver turns the frames of a link into samples. It has no clock and does no I/O:
// now counts from any moment and never steps. It is for one goroutine.
type receiver struct {
	crafts  map[uint8]*craft
	guard   *guard // nil: frames need no signature
	out     Out
	strange map[uint8]bool // systems that are not configured; true: reported
}

// craft is one vehicle of a link.
type craft struct {
	*decoder
	streams streams
	heard   time.Duration // when its last frame was taken
	frames  int           // that were taken
	refused [refusals]tally
	advised map[string]time.Duration // when what was missing was said
}

func newReceiver(vehicles []Vehicle, key []byte, stamps Stamps, out Out) *receiver {
	r := &receiver{crafts: map[uint8]*craft{}, out: out, strange: map[uint8]bool{}}
	for _, v := range vehicles {
		r.crafts[v.System] = &craft{decoder: newDecoder(v), advised: map[string]time.Duration{}}
	}
	if key != nil {
		r.guard = newGuard(key, stamps)
	}
	return r
}

// take takes a frame that came from an address; it reports whether the frame says
// something of a vehicle.
func (r *receiver) take(now time.Duration, from string, p packet) bool {
	c := r.crafts[p.system]
	if r.guard != nil {
		if why := r.guard.admit(p); why != admitted {
			if c != nil {
				c.refused[why].add(now)
			}
			return false
		}
	}
	var m message.Message
	if used[p.id] {
		var err error
		if m, err = p.message(); err != nil {
			return false
		}
	}
	if orders[p.id] {
		for _, d := range r.crafts {
			d.sprayer.told(m, d.System)
		}
	}
	if c == nil {
		r.stranger(p.system, m)
		return false
	}
	// Each frame counts, to see which vehicle it is of.
	if !c.belongs(now, from, p, m) || m == nil {
		return true
	}
	c.heard = now
	c.frames++
	c.v2 = c.v2 || p.v2
	s, ok := c.sample(now, p.component, m)
	if ok {
		r.out(c.Machine, s, nil)
	}
	if text, ok := m.(*common.MessageStatustext); ok && p.component != pilot && serious(text) {
		r.out(c.Machine, runs.Sample{}, &Note{fmt.Sprintf("component %d of %s (%s) says: %s",
			p.component, c.Machine, componentName(p.component), clean(text.Text))})
	}
	return true
}

// belongs reports whether a frame is of the vehicle, and not of another one with the
// same id.
func (c *craft) belongs(now time.Duration, from string, p packet, m message.Message) bool {
	if c.frames > 0 && now-c.heard > linkLost {
		c.sprayer.lost()
	}
	if p.component != pilot {
		a := c.streams.active
		return a == nil || a.from == from || c.streams.other == nil
	}
	take, again := c.streams.judge(now, from, p.seq, p.id, factsOf(m))
	if again {
		c.sprayer.lost()
	}
	return take
}

// factsOf returns what a message says about which vehicle sent it.
func factsOf(m message.Message) facts {
	switch m := m.(type) {
	case *common.MessageGlobalPositionInt:
		return facts{sinceBoot: time.Duration(m.TimeBootMs) * time.Millisecond,
			lat: float64(m.Lat) / 1e7, lon: float64(m.Lon) / 1e7}
	case *common.MessageSystemTime:
		return facts{sinceBoot: time.Duration(m.TimeBootMs) * time.Millisecond}
	case *common.MessageAutopilotVersion:
		return facts{uid: m.Uid}
	}
	return facts{}
}

// stranger reports an autopilot that is not configured.
func (r *receiver) stranger(system uint8, m message.Message) {
	if system >= 254 { // a ground station
		return
	}
	if _, known := r.strange[system]; !known {
		r.strange[system] = false
	}
	h, ok := m.(*ardupilotmega.MessageHeartbeat)
	if !ok || r.strange[system] || h.Autopilot == minimal.MAV_AUTOPILOT_INVALID || h.Type == minimal.MAV_TYPE_GCS {
		return
	}
	r.strange[system] = true
	r.out("", runs.Sample{}, fmt.Errorf("mavlink: vehicle %d is not configured on this link: it is ignored", system))
}

// tick is called every second. It says what is refused and what is missing.
func (r *receiver) tick(now time.Duration) {
	for _, c := range r.crafts {
		for why := range c.refused {
			if n := c.refused[why].due(now); n > 0 && refusal(why) != late {
				r.advise(c, refusal(why).words(c.Machine), n)
			}
		}
		for _, text := range c.missing(now) {
			if at, said := c.advised[text]; !said || now-at >= again {
				c.advised[text] = now
				r.advise(c, text, 0)
			}
		}
	}
}

func (r *receiver) advise(c *craft, text string, frames int) {
	r.out(c.Machine, runs.Sample{}, fmt.Errorf("mavlink: %w", &unheard.Advice{Text: text, Frames: frames}))
}

// tally counts what is refused until it is said.
type tally struct {
	n     int
	first time.Duration
	said  time.Duration
	spoke bool
}

const (
	again  = time.Minute     // what lasts is said again after so long
	gather = 2 * time.Second // what begins is said after so long
)

func (t *tally) add(now time.Duration) {
	if t.n == 0 {
		t.first = now
	}
	t.n++
}

// due returns how many were counted where it is time to say so, and 0 where not.
func (t *tally) due(now time.Duration) int {
	if t.n == 0 || now-t.first < gather || t.spoke && now-t.said < again {
		return 0
	}
	n := t.n
	t.n, t.said, t.spoke = 0, now, true
	return n
}

// componentName names the parts of a vehicle that speak for themselves.
func componentName(id byte) string {
	names := map[byte]string{25: "user", 68: "radio", 100: "camera", 154: "gimbal", 158: "peripheral",
		180: "battery", 191: "onboard computer", 220: "GPS", 240: "UDP bridge"}
	return cmp.Or(names[id], "another component")
}
