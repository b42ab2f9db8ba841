package kiosk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/honesty"
	"gatehouse/gateway/live"
	"gatehouse/gateway/openfiles"
	"gatehouse/gateway/peer"
	"gatehouse/gateway/probe"
	"gatehouse/gateway/web"
	"gatehouse/gateway/wire"
)

// pageAfter is how long a page may send nothing before it counts as dead.
const pageAfter = 6 * time.Second

// Gate takes what the guard does at the screen.
type Gate interface {
	Guards
	Retester

	Note(ctx context.Context, a wire.Audit) error // journals what the guard did
	Buzz()                                        // sounds the relay buzzer once
	Shown(credential string) string               // what the guard sees of somebody; it does not wait
	// Enter journals a value that the guard read off a hand-held thermometer, and decides
	// on it. It returns an error of wire or gate when there is nothing to decide.
	Enter(ctx context.Context, lane string, value wire.Entered) error
	Caller
	// Check takes a step of a field check. It returns an error of honesty, wire or gate when
	// it can't be taken.
	Check(ctx context.Context, step honesty.CheckStep) error
}

// Board is where the parts of the agent post their state.
type Board interface {
	Snapshot() status.Snapshot
	Changed() <-chan struct{} // receives after a change; the kiosk is its only reader
}

// Options are the options of a kiosk.
type Options struct {
	Title   string // compound and gate, as the guard knows them
	Agent   string
	Version string
	Clock   clock.Source
	Log     *slog.Logger
}

// Kiosk serves the screen of one gate.
type Kiosk struct {
	opts Options
	hub  *live.Hub

	mu     sync.Mutex
	screen *Screen
	pages  map[uint64]page // that sent something within pageAfter
	counts map[string]float64
	told   time.Duration
}

// page is the state of one page.
type page struct {
	heard time.Duration // boot clock
	audio string        // its AudioContext: running, suspended
}

// New returns a kiosk. Pass it to the station as its Screen, then call Serve.
func New(opts Options) (*Kiosk, error) {
	k := &Kiosk{opts: opts, hub: live.New(0), screen: NewScreen(), pages: map[uint64]page{},
		counts: map[string]float64{}}
	return k, k.introduce(nil)
}

// introduce tells the pages what they show also while they are cut off from this program: the
// gate, and whom to call. Contacts may change while the agent runs.
func (k *Kiosk) introduce(contacts []status.Contact) error {
	return live.Set(k.hub, "gate", struct {
		Title    string    `json:"title"`
		Agent    string    `json:"agent"`
		Version  string    `json:"version"`
		Contacts []Contact `json:"contacts,omitempty"`
	}{k.opts.Title, k.opts.Agent, k.opts.Version, offices(contacts)})
}

// offices returns contacts as the screen lists them while it is cut off from the agent: who is
// on duty at the county comes first.
func offices(contacts []status.Contact) (out []Contact) {
	for _, r := range append([]fact.Role{fact.RoleCounty}, fact.Roles()...) {
		for _, x := range contacts {
			office := Contact{Role: string(r), Phone: x.Phone}
			if x.Role == r && !slices.Contains(out, office) {
				out = append(out, office)
			}
		}
	}
	return out
}

// Passage implements station.Screen.
func (k *Kiosk) Passage(at clock.Moment, seq uint64, p wire.Passage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.counts[string(p.Verdict)]++
	k.screen.Passage(k.opts.Clock.Now(), at, seq, p)
	k.draw()
}

// Earlier implements station.Screen.
func (k *Kiosk) Earlier(at clock.Moment, seq uint64, p wire.Passage, answered bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.screen.Earlier(k.opts.Clock.Now(), at, seq, p, answered) // the next status draws
}

// status takes the state of the agent.
func (k *Kiosk) status(s status.Snapshot) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.screen.Status(k.opts.Clock.Now(), s)
	if err := k.introduce(s.Help.Contacts); err != nil {
		k.opts.Log.Error("tell the guard's screen whom to call", "err", err)
	}
	k.draw()
}

// draw sends the view to the pages. What did not change is not sent.
func (k *Kiosk) draw() {
	now := k.opts.Clock.Now()
	err := errors.Join(live.Set(k.hub, "view", k.screen.View(now)), live.Set(k.hub, "recent", k.screen.Recent(now)),
		live.Set(k.hub, "lamps", k.screen.Lamps()), live.Set(k.hub, "post", k.screen.Post(now)))
	if err != nil {
		k.opts.Log.Error("draw the guard's screen", "err", err)
	}
}

// Hear implements live.Hearer: a page reports that it lives, and whether it can play
// sounds.
func (k *Kiosk) Hear(number uint64, message []byte) {
	var m struct {
		Audio string `json:"audio"`
	}
	if json.Unmarshal(message, &m) != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if m.Audio != k.pages[number].audio {
		k.opts.Log.Info("the page's sound", "page", number, "state", m.Audio)
	}
	k.pages[number] = page{k.opts.Clock.Now().Boot, m.Audio}
}

// living returns the number of pages that sent something lately, and how many of them
// may not play sounds. The caller holds mu.
func (k *Kiosk) living(now clock.Moment) (pages, silent int) {
	maps.DeleteFunc(k.pages, func(_ uint64, p page) bool { return now.Boot-p.heard > pageAfter })
	for _, p := range k.pages {
		if p.audio == "suspended" {
			silent++
		}
	}
	return len(k.pages), silent
}

// Serve serves the screen on l, shows what is posted on the board, and sounds the relay
// buzzer when no page can, until ctx ends.
func (k *Kiosk) Serve(ctx context.Context, l net.Listener, gate Gate, board Board) error {
	k.mu.Lock()
	k.screen.who = gate.Shown
	k.mu.Unlock()
	s := web.NewServer(k.handler(ctx, gate, l.Addr().String()), k.opts.Log)
	done := make(chan error, 1)
	go func() {
		done <- s.Serve(web.Strange(web.Bound(l, openfiles.Pages(), peer.Proxies{}, k.opts.Log), false, k.opts.Log))
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			_ = s.Close() // pages reconnect
			<-done        //nolint:errcheck // it was closed
			return nil
		case err := <-done:
			return fmt.Errorf("serve the guard's screen on %s: %w", l.Addr(), err)
		case <-board.Changed():
			k.status(board.Snapshot())
		case <-tick.C:
			k.status(board.Snapshot())
			if k.tick() {
				gate.Buzz()
			}
		}
	}
}

// tick advances the screen and reports whether the relay buzzer must sound: something
// waits for the guard, and no page that can play sounds is there.
func (k *Kiosk) tick() (buzz bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.opts.Clock.Now()
	if pages, silent := k.living(now); pages > silent || !k.screen.Urgent(now) || now.Boot-k.told < 3*time.Second {
		return false
	}
	k.told = now.Boot
	return true
}

func (k *Kiosk) handler(ctx context.Context, gate Gate, addr string) http.Handler {
	mux := http.NewServeMux()
	probe.Mount(mux, k.opts.Version, k)
	page := web.Load("kiosk")
	mux.Handle("GET /{$}", page)
	mux.Handle("GET /assets/", page)
	mux.Handle("GET "+web.HelpPath, web.Help())
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, r *http.Request) {
		k.hub.Serve(ctx, w, r, live.Page{Hearer: k})
	})
	mux.HandleFunc("POST /press", func(w http.ResponseWriter, r *http.Request) { k.press(w, r, gate) })
	mux.HandleFunc("POST /check", func(w http.ResponseWriter, r *http.Request) { k.checkStep(w, r, gate) })
	k.guards(mux, gate)
	mux.HandleFunc("POST /retest", func(w http.ResponseWriter, r *http.Request) { k.retest(w, r, gate) })
	mux.HandleFunc("POST /entry", func(w http.ResponseWriter, r *http.Request) { k.enter(w, r, gate) })
	return web.Guard(web.Site{Listen: addr, Log: k.opts.Log}, web.Near(mux))
}

// press takes an answer of the guard. It is journalled before it is shown.
func (k *Kiosk) press(w http.ResponseWriter, r *http.Request, gate Gate) {
	var m struct {
		ID     string `json:"id"`
		Action string `json:"action"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&m); err != nil {
		http.Error(w, "not understood: "+err.Error(), http.StatusBadRequest)
		return
	}
	k.mu.Lock()
	turned := k.screen.Turn(k.opts.Clock.Now(), m.ID, m.Action)
	if turned {
		k.draw()
	}
	audit, ok := k.screen.Press(k.opts.Clock.Now(), m.ID, m.Action)
	k.mu.Unlock()
	if turned {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if !ok {
		http.Error(w, "stale: the screen shows something else by now", http.StatusConflict)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if k.onCall(ctx, w, gate, m.ID, m.Action) {
		return
	}
	var err error
	if role, ok := calls[m.Action]; ok {
		err = gate.Call(ctx, role, audit.Passage)
	}
	if err == nil {
		err = gate.Note(ctx, audit)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.screen.Settle(k.opts.Clock.Now(), m.ID, audit)
	k.draw()
	w.WriteHeader(http.StatusNoContent)
}
