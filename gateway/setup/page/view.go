package page

import (
	"context"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"time"

	"gatehouse/gateway/setup"
	"gatehouse/gateway/site"
)

// sitesView is what the page shows of a sites file.
type sitesView struct {
	Name      string       `json:"name"`
	County    string       `json:"county,omitempty"`
	Title     string       `json:"title,omitempty"`
	Compounds int          `json:"compounds"`
	Gates     int          `json:"gates"`
	Faults    []site.Fault `json:"faults"`
	More      int          `json:"more,omitempty"` // faults that are not listed
}

// view is what the page shows.
type view struct {
	Phase   Phase           `json:"phase"`
	Answers setup.Answers   `json:"answers"`
	Sites   *sitesView      `json:"sites,omitempty"`
	Token   bool            `json:"token"`
	Trouble string          `json:"trouble,omitempty"`
	Written []setup.Written `json:"written"`
	Names   []string        `json:"names"`
	After   after           `json:"after"`
}

// after is what comes after the files are written.
type after struct {
	Starts   bool   `json:"starts"`             // the collector is started
	Command  string `json:"command,omitempty"`  // starts it
	Desk     string `json:"desk,omitempty"`     // its address
	Link     string `json:"link,omitempty"`     // for the first user
	LinkFile string `json:"linkFile,omitempty"` // where that lies
	Trust    string `json:"trust,omitempty"`    // certificate that browsers have to trust, PEM
}

// mostFaults is how many faults of a file are listed.
const mostFaults = 100

// sitesView returns what is shown of the uploaded file. p.mu is held.
func (p *Page) sitesView() *sitesView {
	u := p.state.sites
	if u.name == "" {
		return nil
	}
	v := &sitesView{Name: u.name, Faults: u.faults}
	if v.Faults == nil {
		v.Faults = []site.Fault{}
	}
	if n := len(v.Faults); n > mostFaults {
		v.Faults, v.More = v.Faults[:mostFaults], n-mostFaults
	}
	if c, _, _ := setup.Sites(u.name, u.text, "", p.state.answers.Name); c != nil {
		v.County, v.Title, v.Compounds, v.Gates = c.ID, c.Name, len(c.Compounds()), c.Gates()
	}
	return v
}

// lookAtSites returns what is wrong with the uploaded file. p.mu is held.
func (p *Page) lookAtSites() []site.Fault {
	u, a := p.state.sites, p.state.answers
	_, _, faults := setup.Sites(u.name, u.text, a.County, a.Name)
	return faults
}

// tell answers what the page shows.
func (p *Page) tell(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	s := p.state
	v := view{Phase: s.phase, Answers: s.answers, Sites: p.sitesView(), Token: s.token, Trouble: s.trouble,
		Written: s.written, Names: p.opts.Computer.Names, After: after{Starts: p.opts.Start != nil,
			Command: p.opts.Computer.Command, Desk: s.answers.Desk(), Link: s.link}}
	p.mu.Unlock()
	if s.phase == Done || s.phase == Failed {
		v.After.LinkFile = filepath.Join(p.opts.Place.Data, "county", "setup-link")
		v.After.Trust = p.opts.Trust()
	}
	answer(w, v)
	if s.phase == Done || s.phase == Failed {
		p.mu.Lock()
		defer p.mu.Unlock()
		select {
		case <-p.told:
		default:
			close(p.told)
		}
	}
}

// planned is a file that would be written.
type planned struct {
	Path   string `json:"path"`
	Text   string `json:"text,omitempty"` // of what people read and change
	Secret bool   `json:"secret"`         // for the service or root alone
	There  bool   `json:"there"`          // one is there: it is kept or, with a copy, replaced
}

// shown are the files whose texts the page shows.
var shown = []string{setup.ConfigFile, "sites.yaml", path.Join("enrol", "default", "agent.yaml")}

// planFor bounds how long looking around may take.
const planFor = 20 * time.Second

// plan answers what would be written, or what is wrong.
func (p *Page) plan(w http.ResponseWriter, r *http.Request) {
	a := p.answers()
	faults := p.faults()
	if len(faults) == 0 {
		ctx, cancel := context.WithTimeout(r.Context(), planFor)
		defer cancel()
		faults = append(faults, p.opts.Look(ctx, a)...)
	}
	files := []planned{}
	if len(faults) == 0 {
		list, err := p.opts.Plan(a)
		if err != nil {
			faults = append(faults, Fault{"plan", p.readable(err.Error())})
		}
		for _, f := range list {
			files = append(files, p.planned(f))
		}
	}
	answer(w, map[string]any{"faults": faults, "files": files})
}

// mostText bounds how much of a file the page shows, in bytes.
const mostText = 64 << 10

func (p *Page) planned(f setup.File) planned {
	out := planned{Path: filepath.Join(p.opts.Place.Dir, filepath.FromSlash(f.Name)), Secret: f.Secret}
	_, err := os.Stat(out.Path)
	out.There = err == nil
	for _, name := range shown {
		if name == f.Name && !f.Secret {
			out.Text = string(f.Text[:min(len(f.Text), mostText)])
		}
	}
	return out
}
