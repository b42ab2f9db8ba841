// Package panel draws what the small display of a post without a screen shows: the same
// verdicts as the guard's screen, because it asks the same kiosk.Screen.
package panel

import (
	"image"
	"sync"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// redFor is how long a red verdict is shown at a post where nobody can answer it. The
// next person's verdict ends it, too; the county has its alarm.
const redFor = time.Minute

// Place is a display of a gate.
type Place struct {
	Device   string // its name in the configuration
	Lane     string // whose verdicts it shows; empty: those of all lanes
	Language Language
}

// Options of a panel.
type Options struct {
	Places []Place
	// Attended says that the gate has a guard's screen as well: red verdicts stay until
	// they are answered there.
	Attended bool
	Zone     *time.Location // of the county: for the time of day
	Clock    clock.Source
	Status   func() status.Snapshot // of the agent; it may not wait
}

// Panel draws for all displays of a gate. Its methods may be called from any goroutine;
// none of them waits for a display.
type Panel struct {
	opts Options
	font font

	mu      sync.Mutex
	screens map[string]*kiosk.Screen // by display
}

// New returns the panel of an idle gate.
func New(opts Options) (*Panel, error) {
	f, err := parseFont(unifont)
	if err != nil {
		return nil, err
	}
	p := &Panel{opts: opts, font: f, screens: map[string]*kiosk.Screen{}}
	for _, place := range opts.Places {
		p.screens[place.Device] = kiosk.NewScreen()
	}
	return p, nil
}

// Passage implements station.Screen.
func (p *Panel) Passage(at clock.Moment, seq uint64, x wire.Passage) {
	now := p.opts.Clock.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, place := range p.opts.Places {
		if place.Lane != "" && place.Lane != x.Lane {
			continue
		}
		s := p.screens[place.Device]
		if !p.opts.Attended && !x.Amends { // somebody else has come
			s.Settled(now, func(o kiosk.Open) bool { return o.Seq != 0 && o.Lane == x.Lane })
		}
		s.Passage(now, at, seq, x)
	}
}

// Earlier implements station.Screen.
func (p *Panel) Earlier(at clock.Moment, seq uint64, x wire.Passage, answered bool) {
	now := p.opts.Clock.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, place := range p.opts.Places {
		if place.Lane == "" || place.Lane == x.Lane {
			p.screens[place.Device].Earlier(now, at, seq, x, answered || !p.opts.Attended)
		}
	}
}

// Answered takes what the guard did at the screen.
func (p *Panel) Answered(a wire.Audit) {
	now := p.opts.Clock.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.screens {
		s.Settled(now, func(o kiosk.Open) bool {
			return a.Passage != 0 && o.Seq == a.Passage || a.Alarm != "" && o.Alarm == a.Alarm ||
				a.Passage == 0 && a.Alarm == "" && a.Action == kiosk.ActionNoted && o.Seq == 0 && o.Alarm == ""
		})
	}
}

// Picture returns what a display shows now.
func (p *Panel) Picture(device string) image.Image {
	for _, place := range p.opts.Places {
		if place.Device == device {
			now := p.opts.Clock.Now()
			v, open := p.view(place, now)
			return p.font.draw(v, open, place.Language, now.Wall.In(p.opts.Zone))
		}
	}
	return image.NewPaletted(image.Rect(0, 0, Width, Height), nil)
}

// view returns the view of a display, and how many alarms the guard has not answered.
func (p *Panel) view(place Place, now clock.Moment) (v kiosk.View, open int) {
	st := p.opts.Status()
	if place.Lane != "" {
		st.Gate = ofLane(st.Gate, place.Lane)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.screens[place.Device]
	s.Status(now, st)
	s.Settled(now, func(o kiosk.Open) bool {
		if p.opts.Attended {
			open++
			return false
		}
		return o.Seq == 0 || now.Boot-o.At >= redFor
	})
	return s.View(now), open
}

// ofLane returns what of the state of a gate belongs to a lane.
func ofLane(g status.Gate, lane string) status.Gate {
	out := status.Gate{}
	for _, d := range g.Devices {
		if d.Lane == lane {
			out.Devices = append(out.Devices, d)
		}
	}
	for _, x := range g.Prompts {
		if x.Lane == lane {
			out.Prompts = append(out.Prompts, x)
		}
	}
	for _, x := range g.Measuring {
		if x == lane {
			out.Measuring = append(out.Measuring, x)
		}
	}
	for _, x := range g.Measured {
		if x == lane {
			out.Measured = append(out.Measured, x)
		}
	}
	return out
}

// tenths returns a temperature with one decimal, cut off: 37.29 is not 37.3.
func tenths(t fact.Temp) string {
	s := t.String()
	return s[:len(s)-1]
}
