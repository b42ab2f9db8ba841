package ship

import (
	"fmt"
	"strconv"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// When a delivery is in trouble.
const (
	stalledAfter = time.Minute      // something waits for so long and nothing is acknowledged
	steadyAfter  = 10 * time.Second // a connection that ends earlier does not end the trouble of having none
	clocksApart  = time.Minute      // how far two clocks may differ
)

// standing is what a delivery knows of how it does: what its troubles are made of.
type standing struct {
	online bool
	began  time.Duration // boot clock: of the connection
	lost   clock.Moment  // since when there is no connection that lasts; zero: there is one
	why    string        // there is none
	asked  clock.Moment  // since when the collector has not answered
	heard  time.Duration // boot clock: of the last acknowledgement, or of the connection
	waits  clock.Moment  // since when something waits and nothing is acknowledged; zero: nothing waits
	county countySide
	skew   time.Duration // how far this clock is behind the county's, where that is more than the answer took
}

// countySide is what the collector's status says.
type countySide struct {
	known bool   // a signed one has come on this connection
	gone  bool   // the last will has
	fault string // why it commits nothing
}

func (s *standing) up(now clock.Moment) {
	s.online, s.began, s.heard, s.asked = true, now.Boot, now.Boot, now
	s.county = countySide{}
}

func (s *standing) down(now clock.Moment, why error) {
	if s.lost.Wall.IsZero() {
		s.lost = now
	}
	s.online = false
	if why != nil {
		s.why = why.Error()
	}
}

// look is called every second; waits reports whether something waits.
func (s *standing) look(now clock.Moment, waits bool) {
	if s.online && now.Boot-s.began >= steadyAfter {
		s.steady()
	}
	switch {
	case !waits:
		s.waits = clock.Moment{}
	case s.waits.Wall.IsZero():
		s.waits = now
	}
}

// steady notes that the connection is of use.
func (s *standing) steady() { s.lost, s.why = clock.Moment{}, "" }

// moved notes that something was acknowledged.
func (s *standing) moved(now clock.Moment) {
	s.steady()
	if !s.waits.Wall.IsZero() {
		s.waits = now
	}
}

// compare takes the county's clock out of the answer to a hello that was sent at
// sent.
func (s *standing) compare(now clock.Moment, sent time.Duration, county *wire.Time) {
	s.skew = 0
	if county == nil {
		return // of an earlier version
	}
	// The answer was written between sent and now.
	skew, took := county.Sub(now.Wall), now.Boot-sent
	switch {
	case skew > 0:
		s.skew = skew
	case skew+took < 0:
		s.skew = skew + took
	}
}

// linked reports whether the county answers on a connection that lasts.
func (d *delivery) linked() bool { return d.standing.online && d.greeting.answered }

// troubles returns what keeps records from the county at now, and what else is
// wrong with their delivery. What the collector has signed and is not trusted is
// reported as an alarm instead.
func (d *delivery) troubles(now clock.Moment) (list []wire.Trouble) {
	if t, stopped := d.stopped(now); stopped {
		list = append(list, t)
	}
	s := &d.standing
	if d.sizing.failed > 0 && d.sizing.held.to == 0 {
		list = append(list, warning(fact.TroubleBrokerLimit, clock.Moment{}, d.limitText()).Advise("broker-limit",
			"passed", strconv.Itoa(d.sizing.passed), "failed", strconv.Itoa(d.sizing.failed)))
	}
	if s.skew.Abs() >= clocksApart {
		way, advice := "behind", "clock-off.behind"
		if s.skew < 0 {
			way, advice = "ahead of", "clock-off.ahead"
		}
		by := s.skew.Abs().Round(time.Second).String()
		list = append(list, warning(fact.TroubleClock, clock.Moment{}, fmt.Sprintf(
			"this computer's clock is %s %s the county's: set the wrong one (timedatectl; chronyc tracking)",
			by, way)).Advise(advice, "by", by))
	}
	return list
}

// stopped returns why nothing is delivered.
func (d *delivery) stopped(now clock.Moment) (t wire.Trouble, stopped bool) {
	s := &d.standing
	stalled := !s.waits.Wall.IsZero() && now.Boot-s.waits.Boot >= stalledAfter
	switch {
	case !s.online, !s.lost.Wall.IsZero() && !d.greeting.answered, !s.lost.Wall.IsZero() && stalled:
		return d.noBroker(), true
	case s.county.fault != "":
		return warning(fact.TroubleStoreRefuses, s.waits,
			"the county's store takes nothing, look there: "+s.county.fault).Advise(
			"store-refuses", "why", s.county.fault), true
	case !d.greeting.answered && d.distrusted:
		return t, false // an alarm says why
	case !d.greeting.answered && s.county.gone:
		return warning(fact.TroubleNoCollector, s.asked,
			"the collector has gone from the broker: start it (gatehouse collect), or look at its network").Advise(
			"no-collector.gone"), true
	case !d.greeting.answered && !s.county.known:
		announced := wire.Topic(d.county, wire.CollectorID, wire.LeafStatus)
		return warning(fact.TroubleNoCollector, s.asked, "no collector of county "+d.county+
			" has announced itself at this broker: is it the right broker and county, and may this agent receive "+
			announced+"?").Advise("no-collector", "county", d.county, "topic", announced), true
	case !d.greeting.answered:
		return warning(fact.TroubleNoAnswer, s.asked, fmt.Sprintf("the collector does not answer: "+
			"is it stuck, or does the desk say that it refuses this agent (revoked, not enrolled)? "+
			"Else look at the broker's permissions: this agent must publish %s and receive %s",
			d.topic(wire.LeafHello), d.topic(wire.LeafAck))).Advise("no-answer",
			"hello", d.topic(wire.LeafHello), "ack", d.topic(wire.LeafAck)), true
	case stalled && d.sizing.held.to == 0:
		return warning(fact.TroubleNotAcknowledged, s.waits, "the collector answers, and nothing is acknowledged: "+
			"look at its log and the desk's alerts, and at the broker's permissions: this agent must publish "+
			d.topic(wire.LeafRecords)).Advise("not-acknowledged", "topic", d.topic(wire.LeafRecords)), true
	}
	return t, false
}

func (d *delivery) topic(leaf wire.Leaf) string { return wire.Topic(d.county, d.agent, leaf) }

func (d *delivery) noBroker() wire.Trouble {
	s, advice := &d.standing, "no-broker"
	text := "no connection to the broker: check broker.url, the network and the broker"
	if s.online {
		advice = "no-broker.again"
		text = "the connection to the broker ends again and again: look at the broker's log " +
			"(permissions, limits, another agent with this name)"
	}
	if s.why != "" {
		text += ": " + s.why
	}
	return warning(fact.TroubleNoBroker, s.lost, text).Advise(advice, "why", s.why)
}

// warning returns a trouble that leaves the agent at its work: it keeps what it
// can't deliver.
func warning(kind fact.TroubleKind, since clock.Moment, text string) wire.Trouble {
	t := wire.Trouble{Kind: kind, Text: wire.OneLine(text)}
	if !since.Wall.IsZero() {
		t.Since = new(wire.At(since.Wall))
	}
	return t
}

// limitText says what limit of the broker is likely.
func (d *delivery) limitText() string {
	z := d.sizing
	return fmt.Sprintf("the broker seems to drop messages above %d bytes (one of %d never came through): "+
		"raise message_size_limit and max_packet_size (Mosquitto), max_packet_size (EMQX, NanoMQ), "+
		"or the MTU of a tunnel on the way", z.passed, z.failed)
}

// heldText says of which record, and why, nothing behind it is delivered.
func (d *delivery) heldText() string {
	z := d.sizing
	text := fmt.Sprintf("record %d does not arrive, and those behind it wait; new alarms still go: ", z.held.from)
	if z.passed == 0 || z.held.bytes <= z.passed {
		return text + fmt.Sprintf("either the broker drops messages of %d bytes "+
			"(Mosquitto: message_size_limit, max_packet_size; EMQX, NanoMQ: max_packet_size), "+
			"or this agent may not publish %s there, or the collector refuses it (see the desk's alerts)",
			z.held.bytes, wire.Topic(d.county, d.agent, wire.LeafRecords))
	}
	return text + fmt.Sprintf("the broker seems to drop messages above %d bytes, and this one has %d: "+
		"raise message_size_limit and max_packet_size (Mosquitto), max_packet_size (EMQX, NanoMQ), "+
		"or the MTU of a tunnel on the way", z.passed, z.held.bytes)
}
