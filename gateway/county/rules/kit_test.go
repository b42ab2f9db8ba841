package rules

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/site"
)

var t0 = time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)

var li, wang = audit.By{Actor: "li"}, audit.By{Actor: "wang"}

const sites = `county: qinghe
name: 清和县
crs: WGS-84
communities:
  - id: c1
    name: 东城社区
    grids:
      - id: g1
        name: 一
        compounds:
          - {id: k1, name: 丽景苑, gates: [gate-001, gate-002]}
          - {id: k2, name: 锦绣园, gates: [gate-003]}
`

const goodPolicy = "version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 4s}\n" +
	"classes:\n  resident: {fever: go-home, directions: [in, out]}\n"

const header = "card,class,status,household,from,until"

const goodRoster = header + "\n6200000101,resident,active,h1,,\n6200000102,resident,active,h1,,\n"

// bench is the rules of a county whose clock a test moves.
type bench struct {
	*Rules

	t     *testing.T
	dir   string
	now   time.Time
	clock sync.Mutex // guards now
}

func newBench(t *testing.T, twoPeople bool) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), now: t0}
	tree, err := site.Parse([]byte(sites))
	if err != nil {
		t.Fatal(err)
	}
	file, err := db.Open(filepath.Join(b.dir, "desk.db"), Schema+audit.Schema)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	b.Rules = New(Options{File: file, Sites: tree, Dir: filepath.Join(b.dir, "ca"), Zone: time.UTC,
		TwoPeople: twoPeople, Now: b.tick, Log: slog.New(slog.DiscardHandler)})
	return b
}

// tick returns a time that is later than all before. Gates are served at once.
func (b *bench) tick() time.Time {
	b.clock.Lock()
	defer b.clock.Unlock()
	b.now = b.now.Add(time.Second)
	return b.now
}

func (b *bench) add(kind Kind, scope, text string) int64 {
	b.t.Helper()
	v, err := b.Add(b.t.Context(), li, Key{kind, scope}, []byte(text), "")
	if err != nil {
		b.t.Fatal(err)
	}
	return v.ID
}

// force puts a text into force.
func (b *bench) force(kind Kind, scope, text string) int64 {
	b.t.Helper()
	id := b.add(kind, scope, text)
	if err := b.Approve(b.t.Context(), li, id, Approval{}); err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *bench) report(id int64) *Report {
	b.t.Helper()
	report, err := b.Check(b.t.Context(), id)
	if err != nil {
		b.t.Fatal(err)
	}
	return report
}

// file returns what stands in a file, in which no number of a card may.
func (b *bench) file(name string) string {
	b.t.Helper()
	raw, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil && !os.IsNotExist(err) {
		b.t.Fatal(err)
	}
	return string(raw)
}

// holds reports whether one of some lines has a text.
func holds(lines []string, want string) bool {
	for _, l := range lines {
		if strings.Contains(l, want) {
			return true
		}
	}
	return false
}
