package follow

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/wire"
)

var t0 = time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC)

// held is a store in memory.
type held struct {
	mu   sync.Mutex
	rows map[string][]store.Row // by jid
}

func newHeld() *held { return &held{rows: map[string][]store.Row{}} }

func (h *held) Rows(_ context.Context, q store.Query) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		h.mu.Lock()
		rows := slices.Clone(h.rows[q.JID])
		h.mu.Unlock()
		for _, r := range rows {
			if r.Seq > q.After && !yield(r, nil) {
				return
			}
		}
	}
}

func (h *held) Positions(context.Context) (out []store.Position, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for jid, rows := range h.rows {
		if len(rows) > 0 {
			out = append(out, store.Position{JID: jid, Agent: rows[0].Agent, Through: rows[len(rows)-1].Seq})
		}
	}
	return out, nil
}

// commit keeps the next n records of a journal and returns their batch. Record
// seq of life k says "k.seq".
func (h *held) commit(jid string, life, n int) store.Batch {
	h.mu.Lock()
	defer h.mu.Unlock()
	b := store.Batch{Batch: wire.Batch{Agent: "agent-" + jid, JID: jid, From: uint64(len(h.rows[jid])) + 1}}
	b.To = b.From - 1
	for range n {
		b.To++
		at := t0.Add(time.Duration(life)*time.Hour + time.Duration(b.To)*time.Second)
		r := wire.Record{Seq: b.To, At: wire.At(at), Kind: wire.KindClock,
			Body: fmt.Appendf(nil, `{"k":"%d.%d"}`, life, b.To)}
		raw, err := wire.EncodeRecord(r)
		if err != nil {
			panic(err) // a constant form
		}
		b.Entries = append(b.Entries, wire.Entry{Record: r, Raw: raw})
		row := store.Row{Agent: b.Agent, JID: jid, Seq: b.To, At: at, Kind: r.Kind, Raw: raw}
		h.rows[jid] = append(h.rows[jid], row)
	}
	return b
}

// lister is a follower that lists what it took in, in its file and in memory.
type lister struct {
	memory []string
	fail   error // of the next Apply
	ahead  int
}

const schemaTaken = `CREATE TABLE taken (n INTEGER PRIMARY KEY, jid TEXT NOT NULL, text TEXT NOT NULL)`

func (l *lister) Kinds() []wire.Kind { return []wire.Kind{wire.KindClock} }

func (l *lister) Apply(ctx context.Context, tx *sql.Tx, _ time.Time, entries []Entry) (Committed, error) {
	var added []string
	ahead := 0
	for _, e := range entries {
		if e.Ahead {
			ahead++
			continue
		}
		text := strings.Split(string(e.Record.Body), `"`)[3]
		if _, err := tx.ExecContext(ctx, "INSERT INTO taken (jid, text) VALUES (?, ?)", e.JID, text); err != nil {
			return nil, err
		}
		added = append(added, e.JID+":"+text)
	}
	if err := l.fail; err != nil {
		l.fail = nil
		return nil, err
	}
	return func(context.Context) error {
		l.memory, l.ahead = append(l.memory, added...), l.ahead+ahead
		return nil
	}, nil
}

func (l *lister) Reset(ctx context.Context, tx *sql.Tx, jid, former string) (Committed, error) {
	_, err := tx.ExecContext(ctx, "UPDATE taken SET jid = ? WHERE jid = ?", former, jid)
	return nil, err
}

type rig struct {
	t      interface{ Fatal(...any) }
	path   string
	file   *db.File
	held   *held
	list   *lister
	cursor *Cursor
}

func (r *rig) open(ctx context.Context) {
	var err error
	if r.file, err = db.Open(r.path, Schema+schemaTaken, SchemaNewest); err != nil {
		r.t.Fatal(err)
	}
	r.list = &lister{}
	r.cursor, err = NewCursor(ctx, Options{File: r.file, Records: r.held, Followers: []Follower{r.list},
		BeginsAgain: func(agent, _ string) bool { return strings.HasSuffix(agent, "again") }})
	if err != nil {
		r.t.Fatal(err)
	}
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, path: filepath.Join(t.TempDir(), "f.db"), held: newHeld()}
	r.open(t.Context())
	t.Cleanup(func() { _ = r.file.Close() })
	return r
}

func (r *rig) take(batches ...store.Batch) (behind bool) {
	behind, err := r.cursor.Take(context.Background(), t0, []Event{{Committed: batches}})
	if err != nil {
		r.t.Fatal(err)
	}
	return behind
}

func (r *rig) catchUp() {
	stored, _ := r.held.Positions(context.Background()) // it never fails
	missing, _, err := r.cursor.Missing(context.Background(), t0, stored)
	for _, p := range missing {
		if err == nil {
			err = r.cursor.CatchUp(context.Background(), t0, p.Agent, p.JID, p.Through)
		}
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// taken is what was taken in of a journal, in the order of it.
func (r *rig) taken(jid string) string {
	texts, err := db.All(context.Background(), r.file.Reader(), db.Value[string],
		"SELECT text FROM taken WHERE jid = ? ORDER BY n", jid)
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.Join(texts, " ")
}
