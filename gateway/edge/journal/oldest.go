package journal

import "time"

// Oldest is when the oldest record that is not acknowledged was taken, by the
// wall clock then; false when none waits, or it can't be read.
func (j *Journal) Oldest() (time.Time, bool) {
	j.mu.Lock()
	want, durable := max(j.state.Through, j.shelf.base)+1, j.shelf.durable
	j.mu.Unlock()
	if want > durable {
		return time.Time{}, false
	}
	var r reader
	defer r.close()
	for want <= durable {
		c, err := r.read(want, durable, room{1, 1}, func(seq uint64) place {
			j.mu.Lock()
			defer j.mu.Unlock()
			return j.shelf.locate(seq)
		})
		if err != nil || c.To < want {
			return time.Time{}, false
		}
		if len(c.Entries) > 0 {
			return c.Entries[0].Record.At.Time, true
		}
		want = c.To + 1
	}
	return time.Time{}, false
}
