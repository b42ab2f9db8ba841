package upgrade

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/openpgp"
	"gatehouse/gateway/repository"
	"gatehouse/gateway/testkit/debs"
)

// trouble is what dpkg refuses.
type trouble struct {
	fails  map[string]bool // versions that can't be installed
	locked int             // tries for which another program installs
	broken bool            // what is installed is no whole version

	crashes string // a version that does not start
}

// rig is a gate's computer without dpkg and systemd, and a county with packages of it.
type rig struct {
	*Upgrader
	trouble

	t         *testing.T
	folder    repository.Folder
	signer    repository.Signer
	web       *httptest.Server
	installed map[string]string
	free      int64
	runs      bool
	lives     func(version string) status.Alive             // what the agent of a version says of itself
	serve     func(http.ResponseWriter, *http.Request) bool // true: it has answered
	log       []string                                      // versions that were installed, in their order
}

func (r *rig) Installed(context.Context) (map[string]string, error) {
	return maps.Clone(r.installed), nil
}
func (r *rig) Architecture(context.Context) (string, error) { return "amd64", nil }
func (r *rig) Runs(context.Context) bool                    { return r.runs }
func (r *rig) Whole(_ context.Context, name, version string) bool {
	return r.installed[name] == version && !r.broken
}
func (r *rig) Free(string) (int64, error) { return r.free, nil }

func (r *rig) Install(_ context.Context, files []string) error {
	if r.locked > 0 {
		r.locked--
		return ErrLocked
	}
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		p, err := repository.ReadDeb(f)
		f.Close()
		if err != nil {
			return err
		}
		r.log = append(r.log, p.Version)
		if r.fails[p.Version] {
			return errors.New("dpkg: it fails")
		}
		r.installed[p.Name] = p.Version
	}
	return nil
}

func (r *rig) Restart(context.Context) error {
	r.log = append(r.log, "restart")
	if v := r.installed["gatehouse"]; r.crashes == v {
		return errors.New("systemctl: it fails")
	}
	return r.says(r.lives(r.installed["gatehouse"]))
}

func (r *rig) says(a status.Alive) error {
	if a.Run == "silent" {
		return os.RemoveAll(r.opts.AliveFile)
	}
	b, err := json.Marshal(a)
	if err == nil {
		err = os.WriteFile(r.opts.AliveFile, b, 0o600)
	}
	return err
}

// delivers is what a version that is as it should be says.
func delivers(version string) status.Alive {
	return status.Alive{Run: "run of " + version, Version: version, Recording: true, Linked: true, Delivers: true}
}

func newRig(t *testing.T) *rig {
	t.Helper()
	key, err := openpgp.NewKey("gatehouse qinghe", t0)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, folder: repository.Folder{Dir: t.TempDir()}, free: 1 << 40, runs: true,
		signer: repository.Signer{County: "qinghe", Key: key, Now: t0}, lives: delivers,
		trouble:   trouble{fails: map[string]bool{}},
		installed: map[string]string{"gatehouse": "1.0"}}
	r.add("1.0", "2.0", "0.9")
	files := http.FileServer(http.Dir(r.folder.Dir))
	r.web = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if r.serve == nil || !r.serve(w, q) {
			files.ServeHTTP(w, q)
		}
	}))
	t.Cleanup(r.web.Close)
	public, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	ring, err := openpgp.ParseRing(public)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r.Upgrader = New(Options{Dir: filepath.Join(dir, "upgrade"), AliveFile: filepath.Join(dir, "alive.json"),
		Program: "/proc/self/exe", Source: Source{URL: r.web.URL, Ring: ring, HTTP: r.web.Client()}, System: r,
		Now: func() time.Time { return t0 }, Progress: func(int64) {}, Log: slog.New(slog.DiscardHandler),
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	if err := r.says(delivers("1.0")); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) add(versions ...string) {
	r.t.Helper()
	for _, v := range versions {
		deb := debs.Make(r.t, r.t.TempDir(), "x.deb", debs.Control("gatehouse", v, "amd64"),
			map[string]string{"usr/bin/gatehouse": strings.Repeat(v+"\n", 30_000)})
		if _, err := r.folder.Add(r.signer, []string{deb}); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *rig) do(w Wanted) (State, error) { return r.Do(r.t.Context(), w) }
