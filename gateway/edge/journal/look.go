package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// View is a journal as it stood on disk when Look was called.
type View struct {
	JID     string   // empty when the identity can't be read
	First   uint64   // oldest seq on disk, 0 when there is none
	Last    uint64   // newest seq on disk, 0 when there is none
	State   State    // as saved: the watermark may lag behind
	Problems []string // what of identity and state can't be read, for people

	shelf  shelf
	reader reader
}

// Look opens a journal to be read only, also while an agent runs. Close it.
func Look(dir string) (*View, error) {
	segs, err := listSegments(dir)
	if err != nil {
		return nil, err
	}
	id, idErr := readIdentity(dir)
	saved, stateErr := readSmall[savedState](dir, stateFile)
	if errors.Is(idErr, fs.ErrNotExist) && len(segs) == 0 {
		return nil, fmt.Errorf("there is no journal in %s: %w", dir, idErr)
	}
	v := &View{JID: id.JID, State: saved.state(), shelf: shelf{segs: segs, base: id.Base, trimmed: saved.Trimmed}}
	for _, err := range []error{idErr, stateErr} {
		if err != nil {
			v.Problems = append(v.Problems, err.Error())
		}
	}
	if n := len(segs); n > 0 {
		found, err := survey(segs[n-1], 0)
		if err != nil {
			return nil, err
		}
		v.shelf.durable = found.last
	}
	v.First, v.Last = v.shelf.oldest(), v.shelf.durable
	return v, nil
}

// Read is Journal.Read on the view.
func (v *View) Read(from uint64, maxRecords, maxBytes int) (Chunk, error) {
	if from == 0 {
		return Chunk{}, errors.New("read the journal: seqs begin with 1")
	}
	return v.reader.read(from, v.shelf.durable, room{max(1, maxRecords), maxBytes}, v.shelf.locate)
}

// SegmentView is one segment of a view.
type SegmentView struct {
	File        string
	First, Last uint64 // seqs; Last is First-1 when it is empty
	Bytes       int64
	State       string // acknowledged, waiting, or both; damaged header
}

// Segments lists the segments, the oldest first.
func (v *View) Segments() []SegmentView {
	var out []SegmentView
	for i, seg := range v.shelf.segs {
		last := v.Last
		if i+1 < len(v.shelf.segs) {
			last = v.shelf.segs[i+1].first - 1
		}
		x := SegmentView{File: filepath.Base(seg.path), First: seg.first, Last: last, Bytes: seg.size, State: "acknowledged and waiting"}
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

// Trimmed is the newest seq that may have been removed.
func (v *View) Trimmed() uint64 { return v.shelf.trimmed }

// Verify reads every segment and gives the places where records are gone.
func (v *View) Verify() ([]Damage, error) {
	var all []Damage
	for i, seg := range v.shelf.segs {
		next := v.Last + 1
		if i+1 < len(v.shelf.segs) {
			next = v.shelf.segs[i+1].first
		}
		found, err := survey(seg, next)
		if err != nil {
			return all, err
		}
		all = append(all, found.damaged...)
	}
	return all, nil
}

// Close ends the view.
func (v *View) Close() { v.reader.close() }

// Trust pins another store in the journal of an agent that does not run; it
// fails with ErrLocked while one does.
func Trust(dir, store string, term uint64) error {
	if store == "" {
		return errors.New("trust a store: its id is missing")
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
	// A state that can't be read is what trusting anew makes good.
	saved, _ := readSmall[savedState](dir, stateFile)
	saved.JID, saved.Through, saved.Store, saved.Term, saved.Proof = id.JID, 0, store, term, ""
	if err := writeSmall(dir, stateFile, saved, (*os.File).Sync); err != nil {
		return fmt.Errorf("trust store %s in the journal %s: %w", store, dir, err)
	}
	return nil
}
