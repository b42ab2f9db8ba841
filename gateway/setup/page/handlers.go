package page

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"gatehouse/gateway/setup"
	"gatehouse/gateway/web"
)

// Bounds of requests, in bytes.
const (
	mostBody  = 16 << 10
	mostSites = 8 << 20
)

// handler returns what serves the page at an address.
func (p *Page) handler(addr string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", p.page)
	mux.Handle("GET /assets/", p.page)
	mux.Handle("GET /help", web.Help())
	mux.Handle("GET "+web.HelpPath, web.Help())
	mux.HandleFunc("POST /api/open", p.open)
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /api/state":    p.tell,
		"POST /api/answers": p.take,
		"POST /api/token":   p.takeToken,
		"POST /api/sites":   p.takeSites,
		"DELETE /api/sites": p.dropSites,
		"POST /api/try":     p.alone(p.try),
		"POST /api/plan":    p.alone(p.plan),
		"POST /api/write":   p.wantWrite,
	} {
		mux.HandleFunc(pattern, p.known(h))
	}
	return web.Guard(web.Site{Listen: addr, Log: p.opts.Log}, web.Near(mux))
}

// known passes on only requests of the browser that has opened the link.
func (p *Page) known(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !p.knows(r) {
			refuse(w, http.StatusUnauthorized, "unknown")
			return
		}
		next(w, r)
	}
}

// alone passes on one request at a time: what asks others must not be asked for many times.
func (p *Page) alone(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !p.busy.TryLock() {
			refuse(w, http.StatusTooManyRequests, "busy")
			return
		}
		defer p.busy.Unlock()
		next(w, r)
	}
}

// refuse answers with a code of the page's words.
func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"code": code}) // the page may have gone
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the same
}

// read reads a body of JSON into v, and answers itself when it is none.
func read(w http.ResponseWriter, r *http.Request, v any) bool {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "json")
		return false
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBody))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		refuse(w, http.StatusRequestEntityTooLarge, "large")
	} else if err != nil {
		refuse(w, http.StatusBadRequest, "json")
	}
	return err == nil
}

// open lets the first browser in that shows the link.
func (p *Page) open(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Token string `json:"token"`
	}
	if !read(w, r, &m) {
		return
	}
	secret, no := p.enter(m.Token)
	switch {
	case no == refusedMany:
		refuse(w, http.StatusTooManyRequests, string(no))
	case no != "":
		refuse(w, http.StatusForbidden, string(no))
	default:
		p.opts.Log.Info("a browser has opened the link of set-up")
		//nolint:gosec // it is served on loopback only, without TLS
		http.SetCookie(w, &http.Cookie{Name: cookie, Value: secret, Path: "/", HttpOnly: true,
			SameSite: http.SameSiteStrictMode})
		w.WriteHeader(http.StatusNoContent)
	}
}

// take keeps what has been answered, and says what is wrong with it.
func (p *Page) take(w http.ResponseWriter, r *http.Request) {
	var a setup.Answers
	if !read(w, r, &a) {
		return
	}
	// Of other files this page knows nothing: they come from a terminal.
	a.Gates, a.Sites, a.Influx.TokenFile, a.Broker = setup.Gates{}, "", "", ""
	a.County, a.Address = strings.TrimSpace(a.County), strings.TrimSpace(a.Address)
	p.mu.Lock()
	if asking := p.state.phase == Asking; !asking {
		p.mu.Unlock()
		refuse(w, http.StatusConflict, "over")
		return
	}
	p.state.answers = a
	if p.state.sites.name != "" { // whose county is it now?
		p.state.sites.faults = p.lookAtSites()
	}
	p.mu.Unlock()
	answer(w, map[string]any{"faults": p.faults()})
}

// faults returns what is wrong with the answers.
func (p *Page) faults() []Fault {
	out, wrong := []Fault{}, p.answers().Faults()
	for _, ask := range setup.Asks() {
		if err := wrong[ask.Key]; err != nil {
			out = append(out, Fault{ask.Key, p.readable(err.Error())})
		}
	}
	return out
}

// readable returns a text with the names of what was uploaded instead of their places.
func (p *Page) readable(text string) string {
	return strings.ReplaceAll(text, p.opts.Scratch+string(filepath.Separator), "")
}

// takeToken keeps the token of InfluxDB; an empty one removes it.
func (p *Page) takeToken(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Token string `json:"token"`
	}
	if !read(w, r, &m) {
		return
	}
	token := strings.TrimSpace(m.Token)
	err := os.WriteFile(p.tokenPath(), []byte(token+"\n"), 0o600)
	if err != nil {
		p.opts.Log.Warn("the token could not be kept", "err", err)
		refuse(w, http.StatusInternalServerError, "disk")
		return
	}
	p.mu.Lock()
	p.state.token = token != ""
	p.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// takeSites keeps an uploaded sites file, and says what is wrong with its rows.
func (p *Page) takeSites(w http.ResponseWriter, r *http.Request) {
	name := strings.ToLower(filepath.Base(r.URL.Query().Get("name")))
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostSites))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "large")
		return
	}
	if len(text) == 0 {
		refuse(w, http.StatusBadRequest, "empty")
		return
	}
	p.mu.Lock()
	p.state.sites = upload{name: name, text: text}
	p.state.sites.faults = p.lookAtSites()
	if len(p.state.sites.faults) == 0 {
		err = os.WriteFile(p.sitesPath(), text, 0o600)
	}
	v := p.sitesView()
	if len(v.Faults) > 0 || err != nil {
		p.state.sites = upload{} // what is wrong is not kept
	}
	p.mu.Unlock()
	if err != nil {
		p.opts.Log.Warn("the sites file could not be kept", "err", err)
		refuse(w, http.StatusInternalServerError, "disk")
		return
	}
	answer(w, v)
}

// dropSites begins with one gate after all.
func (p *Page) dropSites(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	p.state.sites = upload{}
	p.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// try asks the InfluxDB of the answers.
func (p *Page) try(w http.ResponseWriter, r *http.Request) {
	a := p.answers()
	err := a.Faults()["influx"]
	if err == nil {
		err = p.opts.Try(r.Context(), a)
	}
	said := ""
	if err != nil {
		said = p.readable(err.Error())
	}
	answer(w, map[string]any{"ok": err == nil, "text": said})
}

// wantWrite has the files written. The state says how it went.
func (p *Page) wantWrite(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state.phase != Asking {
		refuse(w, http.StatusConflict, "over")
		return
	}
	select {
	case p.write <- struct{}{}:
		p.state.phase, p.state.trouble = Writing, ""
	default: // it is on its way
	}
	w.WriteHeader(http.StatusNoContent)
}
