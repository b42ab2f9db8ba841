package replay

import (
	"slices"
	"sort"

	"gatehouse/devices"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/wire"
)

// Run is one run of an agent: from its start until the next one. Records say which
// devices it had in which lanes, as far as they were used.
type Run struct {
	From  uint64 // seq of the record of the start
	lists []lane
	// thermometers and readers are devices whose state was recorded and that read nothing:
	// in which lane they are is not known.
	thermometers, readers []string
}

// lane is what is known of a lane.
type lane struct {
	name                                string
	thermometers, readers               []string
	unmeasured, noThermometer, noReader bool
}

// Survey finds out the lanes of a gate from the records of its journal: a first look at
// all of them, before a Replay. Its zero value is ready.
type Survey struct{ runs []Run }

// Runs returns what was found, the oldest first.
func (s *Survey) Runs() []Run { return s.runs }

// Take takes the next record.
func (s *Survey) Take(rec wire.Record, body wire.Body) {
	switch b := body.(type) {
	case *wire.Clock:
		if b.Reason == "start" {
			s.start(rec.Seq)
		}
	case *wire.Reading:
		switch l := s.lane(b.Lane); b.Type {
		case fact.ReadingTemperature:
			l.thermometers = with(l.thermometers, b.Device)
		case fact.ReadingCard, fact.ReadingCode:
			l.readers = with(l.readers, b.Device)
		}
	case *wire.Health:
		s.device(b)
	case *wire.Passage:
		l := s.lane(b.Lane)
		l.unmeasured = l.unmeasured || slices.Contains(b.Reasons, fact.ReasonNotMeasured)
		l.noThermometer = l.noThermometer || slices.Contains(b.Reasons, fact.ReasonNoThermometer)
		l.noReader = l.noReader || slices.Contains(b.Reasons, fact.ReasonNoReader)
	}
}

// device notes a device whose state was recorded.
func (s *Survey) device(b *wire.Health) {
	r := s.newest()
	m, err := devices.Find(b.Model)
	switch {
	case err != nil:
	case m.Kind == devices.KindThermometer:
		r.thermometers = with(r.thermometers, b.Device)
	case m.Kind == devices.KindCardReader || m.Kind == devices.KindScanner:
		r.readers = with(r.readers, b.Device)
	}
}

// newest returns the newest run.
func (s *Survey) newest() *Run {
	if len(s.runs) == 0 {
		s.start(0)
	}
	return &s.runs[len(s.runs)-1]
}

// start begins a run, which has the lanes of the one before until its records say
// otherwise.
func (s *Survey) start(seq uint64) {
	r := Run{From: seq}
	if n := len(s.runs); n > 0 {
		for _, l := range s.runs[n-1].lists {
			r.lists = append(r.lists, lane{name: l.name, unmeasured: l.unmeasured,
				thermometers: slices.Clone(l.thermometers), readers: slices.Clone(l.readers)})
		}
	}
	s.runs = append(s.runs, r)
}

// lane returns the lane of that name in the newest run.
func (s *Survey) lane(name string) *lane {
	r := s.newest()
	i := slices.IndexFunc(r.lists, func(l lane) bool { return l.name == name })
	if i < 0 {
		i = len(r.lists)
		r.lists = append(r.lists, lane{name: name})
	}
	return &r.lists[i]
}

func with(list []string, name string) []string {
	if slices.Contains(list, name) {
		return list
	}
	return append(list, name)
}

// unheard stands for a device of which there is no record: it works.
const unheard = "(no record of it)"

// runOf returns the run that a record belongs to.
func runOf(runs []Run, seq uint64) Run {
	i := sort.Search(len(runs), func(i int) bool { return runs[i].From > seq })
	if i == 0 {
		if len(runs) == 0 {
			return Run{lists: []lane{{}}}
		}
		i = 1
	}
	return runs[i-1]
}

// lanes returns the lanes of a run. One of whose thermometers or readers there is no
// record has some; where a passage says that none worked, those whose lane is not known.
func (r Run) lanes() []gate.Lane {
	var out []gate.Lane
	for _, l := range r.lists {
		out = append(out, gate.Lane{Name: l.name, Measures: !l.unmeasured,
			Thermometers: known(l.thermometers, r.unplaced(r.thermometers), l.noThermometer, "thermometer "+l.name),
			Readers:      known(l.readers, r.unplaced(r.readers), l.noReader, "reader "+l.name)})
	}
	return out
}

// known returns the devices of a lane.
func known(heard, others []string, failed bool, name string) []string {
	switch {
	case len(heard) > 0:
		return heard
	case failed:
		return others
	}
	return []string{unheard + " " + name}
}

// unplaced returns the devices that are in no lane.
func (r Run) unplaced(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(d string) bool {
		return slices.ContainsFunc(r.lists, func(l lane) bool {
			return slices.Contains(l.thermometers, d) || slices.Contains(l.readers, d)
		})
	})
}

// devicesOf returns the names of all devices of lanes.
func devicesOf(lanes []gate.Lane) (all []string) {
	for _, l := range lanes {
		all = append(all, l.Thermometers...)
		all = append(all, l.Readers...)
	}
	return all
}
