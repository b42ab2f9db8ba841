//go:build cleanroot

package booted

import (
	"context"
	"encoding/json"
	"image/color"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	screens "gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/simulator/guard"
)

var (
	playedColour  = color.RGBA{0x12, 0x80, 0x30, 0xff}
	waitingColour = color.RGBA{0x10, 0x14, 0x18, 0xff}
	redColour     = color.RGBA{0xb0, 0x00, 0x20, 0xff}
)

// ofBrowsers are keys with which somebody gets out of a page.
const ofBrowsers = "Ctrl+T Ctrl+N Ctrl+H Ctrl+J Ctrl+L Ctrl+O Ctrl+P Ctrl+S Ctrl+U Ctrl+W Ctrl+= Ctrl+Shift+I " +
	"Ctrl+Shift+N Ctrl+Shift+T Alt+Home Alt+F4 F6 F10 F11 F12 Shift+Esc Super Menu Back HomePage"

// Everything on the screen is the page, in any size, whatever the guard presses and whatever ends.
func TestTheScreenShowsThePageAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newScreen(t)
	p := play(t)
	k := newKiosk(t)
	k.startOn(s, 1920, 1080, "http://127.0.0.1:"+p.port)
	whole := func(what, size string) {
		t.Helper()
		k.await(what, func() bool {
			full, _ := s.has(playedColour)
			return full && p.last("size") == size
		})
	}
	whole("the page at full size", "1920,1080,1920,1080")
	p.restricted(k)
	s.resize(1024, 600)
	whole("the page in another size", "1024,600,1024,600")

	k.await("F1 to F3", func() bool {
		s.press("F1", "F2", "F3")
		return p.count("key", "F1") > 0 && p.count("key", "F2") > 0 && p.count("key", "F3") > 0
	})
	s.press(strings.Fields(ofBrowsers)...)
	before := p.count("key", "F2")
	k.await("that the page has the keys", func() bool {
		s.press("F2")
		return p.count("key", "F2") > before
	})
	whole("the page after the keys of a browser", "1024,600,1024,600")
	if n := p.count("asked", "/"); n != 1 || p.count("key", "n") == 0 {
		t.Errorf("the page was opened %d times, and has the keys %q", n, p.said["key"])
	}

	for i, c := range []struct {
		what string
		end  func()
	}{
		{"killed", func() { k.kill("--kiosk") }},
		{"crashed", func() {
			looked := p.count("asked", "/readyz")
			k.await("that the kiosk knows the page", func() bool { return p.count("asked", "/readyz") > looked })
			k.kill("--type=renderer")
			p.lose(true)
			k.await("a browser without a page is ended", func() bool {
				return strings.Contains(k.said.String(), "does not show the page")
			})
			p.lose(false)
		}},
	} {
		c.end()
		k.await("the page after it was "+c.what, func() bool { return p.count("asked", "/") == i+2 })
		whole("the page after it was "+c.what, "1024,600,1024,600")
	}
	if _, err := s.do("windowkill", s.window()); err != nil { // the cable is pulled
		t.Fatal(err)
	}
	select {
	case <-k.ended: // and the unit starts it again, which waits for a screen
	case <-time.After(patience):
		t.Errorf("it does not end when the screen is gone\n%s", k.log())
	}
}

// restricted checks what the policy of the browser allows a page.
func (p *played) restricted(k *kiosk) {
	p.t.Helper()
	k.await("sound without a gesture", func() bool { return p.last("sound") == "running" })
	k.await("what the page tries", func() bool {
		return p.count("asked", "/file") == 1 && p.count("asked", "/fetched") == 1 && p.last("popup") != ""
	})
	if p.last("popup") != "true" || p.count("asked", "/popup") > 0 {
		p.t.Error("a window was opened")
	}
	if p.count("asked", "/frame") > 0 {
		p.t.Error("another computer's page was opened")
	}
	err := filepath.WalkDir(k.run, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), "list") {
			p.t.Errorf("a file was kept: %s", path)
		}
		return nil // others come and go
	})
	if err != nil {
		p.t.Error(err)
	}
}

// The guard sees the agent's own page, and plainly when there is none.
func TestTheScreenWaitsForTheAgentAndSaysWhenItStops(t *testing.T) {
	t.Parallel()
	address, err := loopback.Free(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a := agent{t: t, dir: t.TempDir(), program: program(t)}
	a.configure(address)
	s := newScreen(t)
	k := newKiosk(t)
	k.startOn(s, 1024, 600, "http://"+address)
	edges := func(want color.RGBA) bool {
		_, edges := s.has(want)
		return edges
	}
	k.await("that the agent starts", func() bool { return edges(waitingColour) })
	s.keep("kiosk-starting")
	k.await("that the agent does not run", func() bool { return edges(redColour) })
	s.keep("kiosk-stopped")

	stop := a.start()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	g := guard.New(address)
	go g.Run(ctx) // ends with ctx
	k.await("the agent's page", func() bool { return a.pages(address) && !edges(redColour) })
	v, err := g.Await(ctx, func(v screens.View) bool { return len(v.Actions) > 0 && v.Actions[0] == "noted" })
	if err != nil {
		t.Fatal(err)
	}
	s.keep("kiosk-fault")
	k.await("that F1 answers", func() bool {
		s.press("F1")
		return g.View().ID != v.ID
	})

	// Its own page says that the agent has stopped: the corner below, where buttons were, is red.
	cut := func() bool {
		img := s.shot()
		return is(img, 2, img.Bounds().Max.Y-2, redColour)
	}
	if cut() {
		t.Error("the screen says that the agent has stopped")
	}
	stop()
	k.await("that the agent has stopped", cut)
	s.keep("kiosk-cut")
	stop = a.start()
	defer stop()
	k.await("the agent's page again", func() bool { return a.pages(address) && !cut() })
	if text := k.said.String(); strings.Contains(text, "starting it again") {
		t.Errorf("the browser was started again: %s", text)
	}
}

// agent is the agent of a gate without a county, whose reader is not plugged in.
type agent struct {
	t            *testing.T
	dir, program string
}

// configure writes its folder.
func (a agent) configure(address string) {
	a.t.Helper()
	if _, err := identity.CreateSiteKey(filepath.Join(a.dir, "site.key")); err != nil {
		a.t.Fatal(err)
	}
	if _, _, err := identity.LoadOrCreateCollectorKey(a.dir); err != nil {
		a.t.Fatal(err)
	}
	for name, text := range map[string]string{
		"policy.yaml": "version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 4s}\n" +
			"classes:\n  resident: {fever: go-home, directions: [in, out]}\n",
		"roster.csv": "card,class,status,household,from,until\n62E3086CED,resident,active,,,\n",
		"agent.yaml": "county: qinghe\nagent: gate-001\ndir: journal\nbroker: {url: \"tcp://127.0.0.1:1\"}\n" +
			"collector_key: collector.pub\nsite_key: site.key\npolicy: policy.yaml\nroster: roster.csv\n" +
			"kiosk: {listen: \"" + address + "\"}\ndevices:\n  - {name: reader, model: rdm6300, port: /dev/absent}\n",
	} {
		if err := os.WriteFile(filepath.Join(a.dir, name), []byte(text), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
}

// start starts it, and returns what ends it as a power cut does.
func (a agent) start() (stop func()) {
	a.t.Helper()
	cmd := exec.Command(a.program, "agent", "--config", filepath.Join(a.dir, "agent.yaml"))
	log := &words{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	stop = func() {
		_ = cmd.Process.Kill() // it may have been stopped
		_ = cmd.Wait()
	}
	a.t.Cleanup(func() {
		stop()
		if a.t.Failed() {
			a.t.Log(log.String())
		}
	})
	return stop
}

// pages reports whether the agent hears from a page.
func (a agent) pages(address string) bool {
	r, err := http.Get("http://" + address + "/readyz") //nolint:noctx // of a test's own computer
	if err != nil {
		return false
	}
	defer r.Body.Close()
	out, err := io.ReadAll(r.Body)
	var state struct {
		Troubles []struct{ Kind string }
	}
	return err == nil && json.Unmarshal(out, &state) == nil && len(state.Troubles) > 0 &&
		!strings.Contains(string(out), `"no-page"`)
}

// A computer without a screen waits for one, and says so once.
func TestWithoutAScreenTheKioskSaysSoOnceAndWaits(t *testing.T) {
	t.Parallel()
	k := newKiosk(t)
	status := k.run + "/sys/class/drm/card0-HDMI-A-1/status"
	attribute(t, status, "disconnected")
	k.start("http://127.0.0.1:1")
	k.await("that there is none", func() bool { return strings.Contains(k.said.String(), "no screen is connected") })
	looks := func() int { return strings.Count(k.said.String(), "\n") }
	time.Sleep(4 * time.Second) // longer than one look: nothing must come
	if looks() != 1 {
		t.Errorf("it says more: %s", k.said.String())
	}
	attribute(t, status, "connected")
	k.await("that there is one", func() bool { return strings.Contains(k.said.String(), "<6>a screen is connected") })
}
