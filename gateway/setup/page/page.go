// Package page is set-up in a browser of the county's computer: one person, who has a link
// that counts once, answers what gatehouse setup asks in a terminal, sees what would be
// written, and has it written. Until then nothing is written but what the person uploads,
// into a folder of this run.
package page

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"gatehouse/gateway/openfiles"
	"gatehouse/gateway/peer"
	"gatehouse/gateway/setup"
	"gatehouse/gateway/site"
	"gatehouse/gateway/web"
)

// Computer is what the page says of the computer that it runs on.
type Computer struct {
	Names   []string // by which others may find it: its name and its addresses
	Command string   // starts the collector, if somebody has to type it
}

// Fault is what is wrong with an answer.
type Fault struct {
	Key  string `json:"key"`  // of setup.Asks
	Text string `json:"text"` // for people who read English; the page has words of its own for the key
}

// Deeds are what the page has done. They are called by one goroutine at a time.
type Deeds struct {
	// Look returns what this computer and the network have against right answers: a port
	// that is taken, another collector, a folder that can't be written.
	Look func(ctx context.Context, a setup.Answers) []Fault
	// Try asks an InfluxDB. The error says what is wrong and what to do.
	Try func(ctx context.Context, a setup.Answers) error
	// Plan returns what would be written.
	Plan func(a setup.Answers) ([]setup.File, error)
	// Write writes the files and checks them.
	Write func(ctx context.Context, a setup.Answers) ([]setup.Written, error)
	// Start starts the collector; nil: somebody types Computer.Command.
	Start func(ctx context.Context) error
	// Link returns the link for the desk's first user, or an empty text as long as the
	// collector has none. The error says that it has ended.
	Link func() (string, error)
	// Trust returns the certificate that browsers have to trust for the desk, PEM; empty:
	// they need none.
	Trust func() string
	// Say tells who has started this the link.
	Say func(link string) error
}

// Options are those of New.
type Options struct {
	Deeds

	Place    setup.Place
	Scratch  string // folder of this run's own, for what is uploaded; only this account may read it
	Computer Computer
	LinkFor  time.Duration // for how long a link counts that nobody has opened
	Now      func() time.Time
	Log      *slog.Logger
}

// Phase is how far set-up is.
type Phase string

// The phases.
const (
	Asking   Phase = "asking"
	Writing  Phase = "writing"
	Starting Phase = "starting" // written; the collector is starting
	Done     Phase = "done"     // written; the collector runs, or somebody has to start it
	Failed   Phase = "failed"   // written, but the collector does not come up
)

// Page is set-up in a browser. Make it with New.
type Page struct {
	opts  Options
	page  *web.Page
	busy  sync.Mutex    // held while something is tried or planned
	write chan struct{} // somebody wants the files to be written
	told  chan struct{} // closed when the browser has been told how it has ended

	mu    sync.Mutex
	door  door
	state state
}

// state is what has been answered and done.
type state struct {
	phase   Phase
	answers setup.Answers // without the paths of what was uploaded
	sites   upload
	token   bool   // of InfluxDB: one was given
	trouble string // why it was not written, or why the collector does not start
	written []setup.Written
	link    string // for the desk's first user
}

// upload is a sites file that was uploaded.
type upload struct {
	name   string
	text   []byte
	faults []site.Fault
}

// New returns what Serve serves.
func New(opts Options) *Page {
	return &Page{opts: opts, page: web.Load("setup"), write: make(chan struct{}, 1), told: make(chan struct{}),
		state: state{phase: Asking}}
}

// Times of Serve.
const (
	renewEvery = time.Second     // how often it looks whether the link is too old
	startFor   = 3 * time.Minute // for how long the collector may take to start
	tellFor    = 10 * time.Second
)

// Serve serves the page on l until set-up has ended: then it returns what was written, and
// an error when the collector does not start. It returns ctx's error when that ends before,
// and then nothing may have been written.
func (p *Page) Serve(ctx context.Context, l net.Listener) (setup.Answers, []setup.Written, error) {
	s := web.NewServer(p.handler(l.Addr().String()), p.opts.Log)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var serving sync.WaitGroup
	defer serving.Wait()
	serving.Go(func() {
		bound := web.Bound(l, openfiles.Pages(), peer.Proxies{}, p.opts.Log)
		if err := s.Serve(bound); !errors.Is(err, http.ErrServerClosed) {
			cancel(fmt.Errorf("serve the page on %s: %w", l.Addr(), err))
		}
	})
	defer s.Close()
	url := "http://" + l.Addr().String() + "/#"
	if err := p.untilWritten(ctx, url); err != nil {
		return setup.Answers{}, nil, errors.Join(err, context.Cause(ctx))
	}
	err := p.start(ctx)
	p.mu.Lock()
	a, written := p.state.answers, p.state.written
	p.mu.Unlock()
	select {
	case <-p.told:
	case <-ctx.Done():
	case <-time.After(tellFor):
	}
	stop, end := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer end()
	_ = s.Shutdown(stop) // lets the answer out; what is left is closed
	return a, written, err
}

// untilWritten keeps a link that counts, and writes the files when somebody wants them.
func (p *Page) untilWritten(ctx context.Context, url string) error {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		if token := p.renew(); token != "" {
			if err := p.opts.Say(url + token); err != nil {
				return fmt.Errorf("say the link: %w", err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case <-p.write:
			if p.writeFiles(ctx) {
				return nil
			}
		}
	}
}

// writeFiles reports whether the files were written. If not, the page says why.
func (p *Page) writeFiles(ctx context.Context) bool {
	p.busy.Lock()
	defer p.busy.Unlock()
	a := p.answers()
	written, err := p.opts.Write(ctx, a)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err != nil {
		p.opts.Log.Warn("the configuration could not be written", "err", err)
		p.state.phase, p.state.trouble = Asking, p.readable(err.Error())
		return false
	}
	p.state.phase, p.state.trouble, p.state.written = Starting, "", written
	return true
}

// start starts the collector, and waits until it has a link for the first user.
func (p *Page) start(ctx context.Context) error {
	end := func(phase Phase, link string, err error) error {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.state.phase, p.state.link = phase, link
		if err != nil {
			p.state.trouble = err.Error()
		}
		return err
	}
	if p.opts.Start == nil {
		return end(Done, "", nil)
	}
	if err := p.opts.Start(ctx); err != nil {
		return end(Failed, "", err)
	}
	ctx, cancel := context.WithTimeout(ctx, startFor)
	defer cancel()
	tick := time.NewTicker(renewEvery / 4)
	defer tick.Stop()
	for {
		switch link, err := p.opts.Link(); {
		case err != nil:
			return end(Failed, "", err)
		case link != "":
			return end(Done, link, nil)
		}
		select {
		case <-ctx.Done():
			return end(Failed, "", fmt.Errorf("the collector has no link for its first user yet: %w", ctx.Err()))
		case <-tick.C:
		}
	}
}

// answers returns what has been answered, with the paths of what was uploaded.
func (p *Page) answers() setup.Answers {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.state.answers
	a.Sites = ""
	if p.state.sites.name != "" {
		a.Sites = p.sitesPath()
	}
	if a.Influx.TokenFile = ""; p.state.token && a.Influx.URL != "" {
		a.Influx.TokenFile = p.tokenPath()
	}
	return a
}

// sitesPath returns where the uploaded sites file lies. p.mu is held.
func (p *Page) sitesPath() string {
	if filepath.Ext(p.state.sites.name) == ".csv" {
		return filepath.Join(p.opts.Scratch, "sites.csv")
	}
	return filepath.Join(p.opts.Scratch, "sites.yaml")
}

func (p *Page) tokenPath() string { return filepath.Join(p.opts.Scratch, "influx.token") }
