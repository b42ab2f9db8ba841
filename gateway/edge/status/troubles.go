package status

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Delivery is how the journal's delivery to the county does.
type Delivery struct {
	Linked   bool           // the county answers
	Troubles []wire.Trouble // why nothing is delivered, or what else is wrong with it
}

// Troubles returns what is wrong with the agent at now, problems first. The probes,
// the guard's screen and the heartbeat all say it from here. It is a problem when
// people can't be judged or records can't be kept, and otherwise a warning: records
// that can't be delivered are kept.
func (s Snapshot) Troubles(now clock.Moment) []wire.Trouble {
	list := []wire.Trouble{}
	if s.Stuck(now) {
		list = append(list, wire.Trouble{Kind: fact.TroubleStuck, Problem: true,
			Text: "a part of the agent is stuck: restart it, and look at its disk and its log"}.Advise("stuck"))
	}
	for _, d := range s.Devices {
		if d.State != fact.DeviceOK {
			list = append(list, wire.Trouble{Kind: fact.TroubleDevice, Problem: true,
				Text: fmt.Sprintf("device %s: %s", d.Name, d.State)}.Advise(
				"device."+string(d.State), "device", d.Name))
		}
	}
	for _, c := range s.Holds {
		t := wire.Trouble{Kind: fact.TroubleKind(c.Type), Text: wire.OneLine(c.Detail)}
		switch c.Type {
		case fact.AlarmDeviceGone, fact.AlarmDeviceFault: // said above
			continue
		case fact.AlarmJournalWrite:
			t.Problem = true
		}
		if c.Device != "" {
			t.Text = wire.OneLine(c.Device + ": " + c.Detail)
		}
		list = append(list, t.Advise(string(c.Type), "why", t.Text))
	}
	if s.Unsafe != "" {
		list = append(list, wire.Trouble{Kind: fact.TroubleDisk, Text: wire.OneLine(s.Unsafe)}.Advise(
			"disk", "why", s.Unsafe))
	}
	for _, why := range []string{s.Help.Refused, s.Odd} {
		if why != "" {
			list = append(list, wire.Trouble{Kind: fact.TroubleDeskRefused, Text: wire.OneLine(why)}.Advise(
				"desk-refused", "why", why))
			break
		}
	}
	list = append(list, s.upgrade(now)...)
	for _, t := range s.Delivery.Troubles {
		if stops(t) {
			t.Text = wire.OneLine(t.Text + s.waiting())
		}
		list = append(list, t)
	}
	if !s.Delivery.Linked && !slices.ContainsFunc(list, stops) {
		list = append(list, wire.Trouble{Kind: fact.TroubleNoAnswer, Text: "the county does not answer" + s.waiting()})
	}
	slices.SortStableFunc(list, func(a, b wire.Trouble) int { return cmp.Compare(rank(a), rank(b)) })
	return list
}

// upgradeSaid is how long an upgrade that did not stay is a trouble.
const upgradeSaid = 7 * 24 * time.Hour

// upgrade says that the last upgrade did not stay, for some days.
func (s Snapshot) upgrade(now clock.Moment) []wire.Trouble {
	u := s.Upgrade
	if u == nil || !u.State.Failed() || u.At == nil || now.Wall.Sub(u.At.Time) > upgradeSaid {
		return nil
	}
	text := fmt.Sprintf("the upgrade to %s failed, and %s runs again: %s", u.To, u.From, u.Why)
	advice := "upgrade-failed"
	if u.State == fact.UpgradeStuck {
		text = fmt.Sprintf("neither %s nor %s could be installed, look with dpkg --audit: %s", u.To, u.From, u.Why)
		advice = "upgrade-failed.stuck"
	}
	t := wire.Trouble{Kind: fact.TroubleUpgrade, Since: u.At, Text: wire.OneLine(text)}
	return []wire.Trouble{t.Advise(advice, "to", u.To, "from", u.From, "why", u.Why)}
}

func stops(t wire.Trouble) bool { return t.Kind.StopsDelivery() }

func rank(t wire.Trouble) int {
	if t.Problem {
		return 0
	}
	return 1
}

// waiting says what waits for the county.
func (s Snapshot) waiting() string {
	text := fmt.Sprintf("; %d records wait", s.Pending)
	if !s.Oldest.IsZero() {
		text += ", the oldest since " + s.Oldest.UTC().Format(time.RFC3339)
	}
	if s.FullIn > 0 {
		text += fmt.Sprintf("; the disk has room for %d hours", s.FullIn/time.Hour)
	}
	return text
}

// Stopped returns why nothing is delivered to the county, or "": then the county's
// lamp may be green if the county answers.
func (s Snapshot) Stopped(now clock.Moment) fact.TroubleKind {
	list := s.Troubles(now)
	if i := slices.IndexFunc(list, stops); i >= 0 {
		return list[i].Kind
	}
	return ""
}
