package upgrade

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/openpgp"
)

func TestAGateIsUpgradedAndTakenBack(t *testing.T) {
	silent := status.Alive{Run: "silent"}
	for what, c := range map[string]struct {
		set  func(*rig)
		want Phase
		has  string
		why  string
	}{
		"well":                {func(*rig) {}, Done, "2.0", ""},
		"it does not come up": {func(r *rig) { r.of("2.0", silent) }, Back, "1.0", "did not come up"},
		"it delivers nothing": {func(r *rig) {
			a := delivers("2.0")
			a.Delivers = false
			r.of("2.0", a)
		}, Back, "1.0", "acknowledged nothing"},
		"another comes up": {func(r *rig) {
			a := delivers("1.0")
			a.Run = "else"
			r.of("2.0", a)
		}, Back, "1.0", "came up instead"},
		"dpkg refuses it": {func(r *rig) { r.fails["2.0"] = true }, Back, "1.0", "it fails"},
		"dpkg refuses both": {func(r *rig) {
			r.fails, r.broken = map[string]bool{"2.0": true, "1.0": true}, true
		}, Stuck, "1.0", "then:"},
		"dpkg can do nothing on a full disk": {func(r *rig) {
			r.fails = map[string]bool{"2.0": true, "1.0": true}
		}, Back, "1.0", "it fails"},
		"it does not start": {func(r *rig) { r.crashes = "2.0" }, Back, "1.0", "systemctl: it fails"},
		"the former does not start at once": {func(r *rig) {
			r.fails["2.0"], r.crashes = true, "1.0"
		}, Back, "1.0", "did not start at once"},
		"the county is silent":   {func(r *rig) { r.serve = gone("_2.0_amd64.deb") }, Unchanged, "1.0", "gone"},
		"no service":             {func(r *rig) { r.runs = false }, Done, "2.0", ""},
		"a kiosk beside is kept": {func(r *rig) { r.installed["gatehouse-kiosk"] = "2.0" }, Done, "2.0", ""},
	} {
		r := newRig(t)
		c.set(r)
		s, err := r.do(Wanted{ID: "id", Version: "2.0"})
		if err != nil || s.Phase != c.want || r.installed["gatehouse"] != c.has || !strings.Contains(s.Why, c.why) {
			t.Errorf("%s: %s %q, %s is installed, %v", what, s.Phase, s.Why, r.installed["gatehouse"], err)
		}
		if kept, ok, err := Read(r.opts.Dir); err != nil || !ok || kept.Phase != s.Phase || kept.ID != "id" {
			t.Errorf("%s: the disk says %+v, %v", what, kept, err)
		}
		left, _ := filepath.Glob(filepath.Join(r.opts.Dir, "*.deb"))
		if (len(left) > 0) != (s.Phase == Stuck) {
			t.Errorf("%s: left are %q", what, left)
		}
	}
}

// The county's message comes as soon as the agent is connected: it has not said yet that the county answers.
func TestAnAgentThatWasJustConnectedIsUpgraded(t *testing.T) {
	r := newRig(t)
	just := delivers("1.0")
	just.Linked, just.Delivers = false, false
	if err := r.says(just); err != nil {
		t.Fatal(err)
	}
	waits := 0
	r.opts.Wait = func(context.Context, time.Duration) error {
		if waits++; waits == 3 {
			return r.says(delivers("1.0"))
		}
		return nil
	}
	if s, err := r.do(Wanted{}); err != nil || s.Phase != Done {
		t.Errorf("%+v, %v", s, err)
	}
}

// of has the agent of a version say a.
func (r *rig) of(version string, a status.Alive) {
	r.lives = func(v string) status.Alive {
		if v == version {
			return a
		}
		return delivers(v)
	}
}

func gone(name string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, q *http.Request) bool {
		if strings.HasSuffix(q.URL.Path, name) {
			http.Error(w, "gone", http.StatusGone)
			return true
		}
		return false
	}
}

func TestWhatIsRefusedChangesNothing(t *testing.T) {
	for what, c := range map[string]struct {
		set    func(*rig)
		wanted Wanted
		want   error
	}{
		"the same":              {nil, Wanted{Version: "1.0"}, ErrNothing},
		"an earlier one":        {nil, Wanted{Version: "0.9"}, ErrDowngrade},
		"nothing newer":         {func(r *rig) { r.installed["gatehouse"] = "3.0" }, Wanted{}, ErrNothing},
		"no such version":       {nil, Wanted{Version: "7.0"}, nil},
		"no version":            {nil, Wanted{Version: "2.0; reboot"}, nil},
		"no way back":           {func(r *rig) { r.installed["gatehouse"] = "1.5" }, Wanted{}, ErrNoWayBack},
		"a full disk":           {func(r *rig) { r.free = 50 << 20 }, Wanted{}, ErrRoom},
		"not installed":         {func(r *rig) { r.installed = nil }, Wanted{}, nil},
		"the county is away":    {func(r *rig) { r.away() }, Wanted{}, ErrAway},
		"another key":           {func(r *rig) { r.foreign() }, Wanted{}, openpgp.ErrForeign},
		"a changed index":       {func(r *rig) { r.serve = rubbish("Packages") }, Wanted{}, nil},
		"an endless index":      {func(r *rig) { r.serve = endless }, Wanted{}, nil},
		"a kiosk that is alone": {func(r *rig) { r.installed["gatehouse-kiosk"] = "1.0" }, Wanted{}, nil},
	} {
		r := newRig(t)
		if c.set != nil {
			c.set(r)
		}
		if _, err := r.do(c.wanted); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", what, err)
		}
		if _, ok, err := Read(r.opts.Dir); ok || err != nil || r.log != nil {
			t.Errorf("%s: kept %t, %v, installed %q", what, ok, err, r.log)
		}
	}
}

// foreign has the gate trust another county's key.
func (r *rig) foreign() { r.opts.Source.Ring = newRig(r.t).opts.Source.Ring }

func (r *rig) away() {
	a := delivers("1.0")
	a.Linked = false
	if err := r.says(a); err != nil {
		r.t.Fatal(err)
	}
}

func rubbish(name string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.HasSuffix(q.URL.Path, name) {
			return false
		}
		fmt.Fprint(w, "Package: gatehouse\n")
		return true
	}
}

func endless(w http.ResponseWriter, _ *http.Request) bool {
	chunk := bytes.Repeat([]byte("x"), 64<<10)
	for range 100 {
		if _, err := w.Write(chunk); err != nil {
			break
		}
	}
	return true
}

func TestWhatIsAskedForIsDone(t *testing.T) {
	r := newRig(t)
	s, err := r.do(Wanted{Version: "0.9", Downgrade: true})
	if err != nil || s.Phase != Done || r.installed["gatehouse"] != "0.9" {
		t.Errorf("a downgrade: %+v, %v", s, err)
	}
	r = newRig(t)
	r.away()
	r.lives = func(v string) status.Alive { return status.Alive{Run: "x", Version: v, Recording: true} }
	if s, err := r.do(Wanted{Away: true}); err != nil || s.Phase != Done || !strings.Contains(s.Why, "away before") {
		t.Errorf("without the county: %+v, %v", s, err)
	}
	r = newRig(t) // something on the way gives no parts
	part := filepath.Join(r.opts.Dir, "gatehouse_2.0_amd64.deb.part")
	if err := errors.Join(os.MkdirAll(r.opts.Dir, 0o750), os.WriteFile(part, []byte("begin"), 0o600)); err != nil {
		t.Fatal(err)
	}
	r.serve = func(_ http.ResponseWriter, q *http.Request) bool {
		q.Header.Del("Range")
		return false
	}
	if s, err := r.do(Wanted{}); err != nil || s.Phase != Done {
		t.Errorf("without parts: %+v, %v", s, err)
	}
	// What the county asks for and the gate refuses it learns, too.
	r = newRig(t)
	if _, err := r.do(Wanted{ID: "id", Version: "0.9"}); !errors.Is(err, ErrDowngrade) {
		t.Error(err)
	}
	if s, _, err := Read(r.opts.Dir); err != nil || s.Phase != Unchanged || s.ID != "id" || s.Why == "" {
		t.Errorf("%+v, %v", s, err)
	}
}

// A package that is cut off is gone on with; what was changed on the way is refused.
func TestPackagesComeWholeOrNotAtAll(t *testing.T) {
	r := newRig(t)
	path := filepath.Join(r.folder.Dir, "gatehouse_2.0_amd64.deb")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var ranges []string
	r.serve = func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.HasSuffix(q.URL.Path, "_2.0_amd64.deb") {
			return false
		}
		ranges = append(ranges, q.Header.Get("Range"))
		if len(ranges) > 1 {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
		_, _ = w.Write(whole[:100])
		w.(http.Flusher).Flush() //nolint:forcetypeassert // of a test's server
		panic(http.ErrAbortHandler)
	}
	if s, err := r.do(Wanted{}); err != nil || s.Phase != Done || len(ranges) != 2 || ranges[1] != "bytes=100-" {
		t.Errorf("%+v, %v, asked for %q", s, err, ranges)
	}
	r = newRig(t)
	changed, err := os.ReadFile(filepath.Join(r.folder.Dir, "gatehouse_2.0_amd64.deb"))
	if err != nil {
		t.Fatal(err)
	}
	changed[len(changed)-1] ^= 1
	r.serve = func(w http.ResponseWriter, q *http.Request) bool {
		if !strings.HasSuffix(q.URL.Path, "_2.0_amd64.deb") {
			return false
		}
		_, _ = w.Write(changed)
		return true
	}
	s, err := r.do(Wanted{})
	if err != nil || s.Phase != Unchanged || !strings.Contains(s.Why, "signed") || r.log != nil {
		t.Errorf("changed: %+v, %v, installed %q", s, err, r.log)
	}
}
