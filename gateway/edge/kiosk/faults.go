package kiosk

import (
	"slices"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
)

// Status takes the state of the agent and its devices.
func (s *Screen) Status(now clock.Moment, st status.Snapshot) {
	s.status = st
	for _, d := range st.Devices {
		s.device(now, d)
	}
	s.doubts(now)
	s.locked(now)
	s.overdue(now)
	s.county(now, st)
	if st.Unkept != "" {
		s.holds(now, item{id: "f-journal", look: LookFault, device: "journal", kind: "journal",
			alarm: fact.AlarmJournalWrite.ID("")})
	} else {
		s.mended("f-journal")
	}
}

func (s *Screen) device(now clock.Moment, d status.Device) {
	id := "f-" + d.Name
	if d.State == fact.DeviceOK {
		s.mended(id)
		return
	}
	it := item{id: id, look: LookFault, device: d.Name, kind: kindOf(d.Kind), gone: d.State == fact.DeviceGone,
		alarm: fact.AlarmDeviceFault.ID(d.Name)}
	if it.gone {
		it.alarm = fact.AlarmDeviceGone.ID(d.Name)
	}
	s.holds(now, it)
}

// doubts shows which thermometers are doubtful.
func (s *Screen) doubts(now clock.Moment) {
	for _, d := range s.status.Devices {
		id := "d-" + d.Name
		if s.doubtful(d.Name) {
			s.holds(now, item{id: id, look: LookFault, device: d.Name, kind: "doubtful",
				alarm: fact.AlarmDeviceDoubtful.ID(d.Name)})
		} else {
			s.mended(id)
		}
	}
}

// locked shows that the rules let nobody pass.
func (s *Screen) locked(now clock.Moment) {
	const id = "f-nobody-passes"
	if slices.ContainsFunc(s.status.Holds, func(c status.Condition) bool { return c.Type == fact.AlarmNobodyPasses }) {
		s.holds(now, item{id: id, look: LookFault, device: "rules", kind: "nobody-passes",
			alarm: fact.AlarmNobodyPasses.ID("")})
	} else {
		s.mended(id)
	}
}

// overdue shows which thermometers are to be checked.
func (s *Screen) overdue(now clock.Moment) {
	for _, d := range s.status.Devices {
		if id := "k-" + d.Name; s.checkDue(d.Name) {
			s.holds(now, item{id: id, look: LookFault, device: d.Name, kind: "check-due",
				alarm: fact.AlarmCheckDue.ID(d.Name)})
		} else {
			s.mended(id)
		}
	}
}

func (s *Screen) doubtful(device string) bool {
	return slices.ContainsFunc(s.status.Holds, func(c status.Condition) bool {
		return c.Type == fact.AlarmDeviceDoubtful && c.Device == device
	})
}

// county shows that nothing is delivered to the county, and why.
func (s *Screen) county(now clock.Moment, st status.Snapshot) {
	why := st.Stopped(now)
	s.delivers = st.Delivery.Linked && why == ""
	switch {
	case s.delivers:
		s.lost = 0
		s.mended("offline")
	case s.lost == 0:
		s.lost = max(now.Boot, 1)
	case now.Boot-s.lost >= offlineAfter:
		since := clock.Moment{Wall: now.Wall.Add(s.lost - now.Boot), Boot: s.lost}
		s.holds(now, item{id: "offline", look: LookOffline, kind: string(why), at: since})
	}
}

// holds shows a condition that holds, or updates the one that is shown.
func (s *Screen) holds(now clock.Moment, it item) {
	same := func(x item) bool { return x.id == it.id }
	for _, list := range [][]item{s.reds, s.strips} {
		if i := slices.IndexFunc(list, same); i >= 0 {
			list[i].gone, list[i].alarm, list[i].kind = it.gone, it.alarm, it.kind
			return
		}
	}
	if it.at.Wall.IsZero() {
		it.at = now
	}
	s.raise(now, it)
}

func (s *Screen) mended(id string) {
	same := func(x item) bool { return x.id == id }
	s.reds = slices.DeleteFunc(s.reds, same)
	s.strips = slices.DeleteFunc(s.strips, same)
}

// kindOf returns the name that the page has for a kind of device; "": none.
func kindOf(k devices.Kind) string {
	switch k {
	case devices.KindThermometer:
		return "thermometer"
	case devices.KindCardReader, devices.KindScanner:
		return "reader"
	case devices.KindDisplay:
		return "display"
	}
	return ""
}
