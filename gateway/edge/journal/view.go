package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// View is a journal as it was on disk when Look was called. One goroutine at a
// time may use it.
type View struct {
	JID      string   // empty when the identity can't be read
	First    uint64   // oldest seq on disk, 0 when there is none
	Last     uint64   // newest seq on disk, 0 when there is none
	State    State    // as saved: Through may be older than the running agent's
	Problems []string // why identity or state can't be read, for people

	segs   segments
	reader reader
}

// Look opens a journal for reading only, also while an agent has it open. The
// caller closes the View.
func Look(dir string) (*View, error) {
	list, err := listSegments(dir)
	if err != nil {
		return nil, err
	}
	id, idErr := readIdentity(dir)
	saved, stateErr := readSmall[savedState](dir, stateFile)
	if errors.Is(idErr, fs.ErrNotExist) && len(list) == 0 {
		return nil, fmt.Errorf("there is no journal in %s: %w", dir, idErr)
	}
	v := &View{JID: id.JID, State: saved.state(),
		segs: segments{list: list, base: id.Base, trimmed: saved.Trimmed}}
	for _, err := range []error{idErr, stateErr} {
		if err != nil {
			v.Problems = append(v.Problems, err.Error())
		}
	}
	if n := len(list); n > 0 {
		found, err := survey(list[n-1], 0)
		if err != nil {
			return nil, err
		}
		v.segs.durable = found.last
	}
	v.First, v.Last = v.segs.oldest(), v.segs.durable
	return v, nil
}

// Read is like Journal.Read.
func (v *View) Read(from uint64, maxRecords, maxBytes int) (Chunk, error) {
	if from == 0 {
		return Chunk{}, errSeqZero
	}
	return v.reader.read(from, v.segs.durable, limits{max(1, maxRecords), maxBytes}, v.segs.locate)
}

// SegmentView is one segment of a view.
type SegmentView struct {
	File        string
	First, Last uint64 // seqs; Last is First-1 when the segment is empty
	Bytes       int64
	State       string // for people: acknowledged, waiting, or both; damaged header
}

// Segments returns the segments, oldest first.
func (v *View) Segments() []SegmentView {
	var out []SegmentView
	for i, seg := range v.segs.list {
		last := v.Last
		if i+1 < len(v.segs.list) {
			last = v.segs.list[i+1].first - 1
		}
		x := SegmentView{File: filepath.Base(seg.path), First: seg.first, Last: last, Bytes: seg.size,
			State: "acknowledged and waiting"}
		switch {
		case last <= v.State.Through:
			x.State = "acknowledged"
		case seg.first > v.State.Through:
			x.State = "waiting"
		}
		if seg.start == 0 {
			x.State += ", damaged header"
		}
		out = append(out, x)
	}
	return out
}

// Trimmed returns the newest seq that may have been removed.
func (v *View) Trimmed() uint64 { return v.segs.trimmed }

// Verify reads every segment and returns where records are lost. It says to read, after each
// segment, how many bytes it had; nil: to nobody.
func (v *View) Verify(read func(bytes int64)) ([]Damage, error) {
	var all []Damage
	for i, seg := range v.segs.list {
		next := v.Last + 1
		if i+1 < len(v.segs.list) {
			next = v.segs.list[i+1].first
		}
		found, err := survey(seg, next)
		if err != nil {
			return all, err
		}
		all = append(all, found.damaged...)
		if read != nil {
			read(seg.size)
		}
	}
	return all, nil
}

// Close closes the view.
func (v *View) Close() { v.reader.close() }

// Trust makes the journal in dir trust another store, while no agent has it
// open; else it fails with ErrLocked.
func Trust(dir, store string, term uint64) error {
	if store == "" {
		return errNoStore
	}
	id, err := readIdentity(dir)
	if err != nil {
		return fmt.Errorf("trust store %s in the journal %s: %w", store, dir, err)
	}
	lock, err := takeLock(dir)
	if err != nil {
		return err
	}
	defer lock.Close()
	// A state that can't be read is replaced.
	saved, _ := readSmall[savedState](dir, stateFile)
	saved.JID, saved.Through, saved.Store, saved.Term, saved.Proof = id.JID, 0, store, term, ""
	if err := writeSmall(dir, stateFile, saved, (*os.File).Sync); err != nil {
		return fmt.Errorf("trust store %s in the journal %s: %w", store, dir, err)
	}
	return nil
}
