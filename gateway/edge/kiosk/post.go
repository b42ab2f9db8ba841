package kiosk

import (
	"context"
	"net/http"
	"slices"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/gate"
	"gatehouse/gateway/policy"
	"gatehouse/gateway/post"
	"gatehouse/gateway/wire"
)

// Guards takes what guards do besides their answers; station.Station says how.
type Guards interface {
	SignIn(ctx context.Context, guard, pin string) error
	HandOver(ctx context.Context, notes []string) error
	Override(ctx context.Context, passage uint64, reason string) error
}

// Post is the state of the gate's post, as the page draws it.
type Post struct {
	Guards    []string   `json:"guards,omitempty"` // who may sign in; absent: nobody need
	On        string     `json:"on,omitempty"`     // who is signed in
	Since     *time.Time `json:"since,omitempty"`  // when they did
	Asked     *time.Time `json:"asked,omitempty"`  // until when somebody must press "still here"
	Wait      *time.Time `json:"wait,omitempty"`   // until when no PIN is taken
	Note      *Note      `json:"note,omitempty"`   // to be confirmed by who is on duty
	Notes     []string   `json:"notes,omitempty"`  // codes that can be left to the next guard
	Overrides []Override `json:"overrides,omitempty"`
	Checks    []Meter    `json:"checks,omitempty"` // thermometers that can be checked
}

// Meter is a thermometer that can be compared with a contact thermometer.
type Meter struct {
	Device string `json:"device"`
	Lane   string `json:"lane,omitempty"` // at a gate with several
}

// Note is what the guard before left, and what holds now.
type Note struct {
	From  string     `json:"from"`
	At    *time.Time `json:"at,omitempty"`
	Notes []string   `json:"notes"`
	Open  []string   `json:"open"`            // ids of the calls that have not ended, and of the alarms that hold
	Waits []Waiter   `json:"waits,omitempty"` // with fevers that are open, the oldest first
	Hand  bool       `json:"hand"`            // one of the last people was measured by hand
}

// Override is one of the last verdicts against which the guard may decide.
type Override struct {
	Person
	Stop    bool     `json:"stop"` // they passed: it stops them
	Reasons []Reason `json:"reasons"`
}

// Reason is a reason that may be chosen, with the policy's own words for it.
type Reason struct {
	Code string `json:"code"`
	Zh   string `json:"zh,omitempty"`
	En   string `json:"en,omitempty"`
}

// Post returns the state of the gate's post.
func (s *Screen) Post(now clock.Moment) Post {
	s.follow(now)
	st := s.status.Post
	p := Post{Guards: st.Guards, On: st.On, Checks: s.checkable()}
	boot := func(at time.Duration) *time.Time {
		if at == 0 {
			return nil
		}
		wall := s.wall.Add(at)
		return &wall
	}
	if st.On != "" {
		p.Since, p.Notes = s.known(st.Since), post.Notes()
	}
	p.Asked, p.Wait = boot(st.Until), boot(st.Wait)
	if n := st.Note; n != nil {
		p.Note = &Note{From: n.From, At: s.known(n.At), Notes: append([]string{}, n.Notes...), Open: []string{},
			Hand:  slices.ContainsFunc(s.recent, func(x item) bool { return x.passage.Entered != nil }),
			Waits: s.waits()}
		for _, c := range s.status.Help.Calls {
			p.Note.Open = append(p.Note.Open, c.ID)
		}
		for _, c := range s.status.Holds {
			p.Note.Open = append(p.Note.Open, c.ID())
		}
	}
	if len(st.Guards) > 0 && st.On == "" || s.status.Retired != "" {
		return p
	}
	people := s.Recent(now)
	for i, x := range s.recent {
		if reasons := may(st.Overrides, x.passage); len(reasons) > 0 {
			p.Overrides = append(p.Overrides, Override{Person: people[i], Stop: x.look == LookPass, Reasons: reasons})
		}
	}
	return p
}

// waits returns who has a fever that is open: not settled, or confirmed.
func (s *Screen) waits() (out []Waiter) {
	for _, e := range s.status.Episodes {
		out = append(out, Waiter{ID: e.ID, Class: e.Class, Screening: new(e.First), Ready: new(s.wall.Add(e.Ready)),
			Until: new(s.wall.Add(e.Until))})
	}
	return out
}

// may returns the reasons for which a guard may decide against a passage.
func may(o *policy.Overrides, p wire.Passage) (out []Reason) {
	if o == nil {
		return nil
	}
	for _, r := range o.Reasons {
		if gate.Overridable(o, p, r.Code) == nil {
			out = append(out, Reason{r.Code, r.Zh, r.En})
		}
	}
	return out
}

// guards mounts the requests of guards.
func (k *Kiosk) guards(mux *http.ServeMux, g Guards) {
	mux.HandleFunc("POST /sign-in", func(w http.ResponseWriter, r *http.Request) {
		type signIn struct{ Guard, PIN string }
		act(w, r, func(ctx context.Context, m signIn) error { return g.SignIn(ctx, m.Guard, m.PIN) })
	})
	mux.HandleFunc("POST /hand-over", func(w http.ResponseWriter, r *http.Request) {
		type handOver struct{ Notes []string }
		act(w, r, func(ctx context.Context, m handOver) error { return g.HandOver(ctx, m.Notes) })
	})
	mux.HandleFunc("POST /override", func(w http.ResponseWriter, r *http.Request) {
		type override struct {
			Passage uint64
			Reason  string
		}
		act(w, r, func(ctx context.Context, m override) error { return g.Override(ctx, m.Passage, m.Reason) })
	})
}
