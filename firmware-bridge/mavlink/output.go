package mavlink

import (
	"time"

	"github.com/bluenviron/gomavlib/v3/pkg/dialects/common"
)

// Pulses in microseconds. ArduPilot's sprayer gives the pump 1100 to 1900, slow
// spraying little above 1100; a motor that turns both ways rests at 1500, and a
// reversed output at the upper end.
const (
	usuallyIdle = 1150 // at or below it a pump rests, before its idle pulse is known
	usuallyRuns = 1200 // above it a pump runs, before its idle pulse is known
	lowEnd      = 1300 // an idle pulse below it is that of an output that rises
	aboveIdle   = 20   // how far from the idle pulse a pump runs
	jitter      = 5
)

// armingFor is how long after arming a pump still rests: some outputs have another
// pulse while disarmed.
const armingFor = 3 * time.Second

const (
	mostOutputs = 32
	perBank     = 16 // outputs of one SERVO_OUTPUT_RAW of ArduPilot
	perPX4      = 8  // outputs of one of PX4: MAIN 1 to 8 on port 0, AUX on port 1
)

// output is the one that drives a pump. It is pure.
type output struct {
	n     int    // 1 to 32; 0: none
	onUS  uint16 // pulse above which the pump runs; 0: learn the idle pulse
	px4   bool
	ports [3]bool // that SERVO_OUTPUT_RAW came of

	idle    uint16 // 0: not known
	last    uint16 // pulse
	armed   *bool
	armedAt time.Duration // when it was armed; 0: not seen
}

// arm notes what a heartbeat says.
func (o *output) arm(now time.Duration, armed bool) {
	if armed && o.armed != nil && !*o.armed {
		o.armedAt = now
	}
	o.armed = &armed
}

// place returns the bank and the place in it, from 0, of the output.
func (o *output) place() (bank uint8, i int) {
	i = o.n - 1
	if o.px4 && (i < perPX4 || o.ports[1]) {
		return uint8(i / perPX4), i % perPX4
	}
	return uint8(i / perBank), i % perBank
}

// pulse returns the output's pulse; ok is false when the message has none.
func (o *output) pulse(m *common.MessageServoOutputRaw) (us uint16, ok bool) {
	if int(m.Port) < len(o.ports) {
		o.ports[m.Port] = true
	}
	all := [perBank]uint16{
		m.Servo1Raw, m.Servo2Raw, m.Servo3Raw, m.Servo4Raw, m.Servo5Raw, m.Servo6Raw, m.Servo7Raw, m.Servo8Raw,
		m.Servo9Raw, m.Servo10Raw, m.Servo11Raw, m.Servo12Raw, m.Servo13Raw, m.Servo14Raw, m.Servo15Raw, m.Servo16Raw,
	}
	bank, i := o.place()
	if o.n == 0 || m.Port != bank {
		return 0, false
	}
	us = all[i]
	return us, us != 0 && us != 0xFFFF
}

// runs reports whether a pulse makes the pump run; nil: not known.
func (o *output) runs(now time.Duration, us uint16) *bool {
	if o.onUS != 0 {
		return new(us > o.onUS)
	}
	o.learn(now, us)
	o.last = us
	switch {
	case o.idle == 0 && us <= usuallyRuns:
		return nil
	case o.idle == 0:
		return new(true)
	case o.idle < lowEnd:
		return new(us > o.idle+aboveIdle)
	}
	return new(us > o.idle+aboveIdle || us < o.idle-aboveIdle)
}

// learn takes a pulse as the idle one where it is: low, while disarmed, just after
// arming, or below what was taken for it. A single lower pulse may be a glitch.
func (o *output) learn(now time.Duration, us uint16) {
	steady := us <= o.last+jitter && o.last <= us+jitter
	disarmed := o.armed != nil && !*o.armed
	switch {
	case o.idle == 0 && (disarmed || us <= usuallyIdle),
		o.armedAt != 0 && now-o.armedAt < armingFor && us <= usuallyRuns,
		steady && disarmed && us < o.idle,
		steady && o.idle < lowEnd && us < o.idle:
		o.idle = us
	}
}
