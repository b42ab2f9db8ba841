package bridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"gatehouse/gateway/clock"
	"gatehouse/gateway/wire"
)

// lastEvery is how often the file of the last values is written.
const lastEvery = 5 * time.Second

// lastValues keeps what each machine reported last in a file, because records are
// made only while a machine works: after a restart of the agent the litres of a
// run count from there. The file is written without fsync: one that is missing or
// damaged after a power cut costs what flowed while the agent was down.
type lastValues struct {
	path    string // empty: nothing is kept
	pending chan []wire.Track
	written time.Duration // boot clock: when the file was last due
}

// read returns the last values of an earlier run of the agent; none when there is
// no file.
func (l *lastValues) read() ([]wire.Track, error) {
	if l.path == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(l.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var out []wire.Track
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		return nil, fmt.Errorf("read the last values of the machines: %w", err)
	}
	return out, nil
}

// keep hands the machines' last values to run when they are due. It never waits.
func (l *lastValues) keep(now clock.Moment, machines []*bridged) {
	if l.path == "" || now.Boot-l.written < lastEvery {
		return
	}
	l.written = now.Boot
	var tracks []wire.Track
	for _, m := range machines {
		if t, ok := m.Last(); ok {
			tracks = append(tracks, t)
		}
	}
	select {
	case l.pending <- tracks:
	default: // the disk hangs
	}
}

// run writes the file until ctx ends; failed is called with each error.
func (l *lastValues) run(ctx context.Context, failed func(error)) {
	for {
		select {
		case <-ctx.Done():
			return
		case tracks := <-l.pending:
			if err := l.write(tracks); err != nil {
				failed(err)
			}
		}
	}
}

func (l *lastValues) write(tracks []wire.Track) error {
	raw, err := json.Marshal(tracks)
	if err == nil {
		err = os.WriteFile(l.path+".new", raw, 0o600)
	}
	if err == nil {
		err = os.Rename(l.path+".new", l.path)
	}
	if err != nil {
		return fmt.Errorf("keep the last values of the machines: %w", err)
	}
	return nil
}
