package peers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gatehouse/gateway/retry"
)

// stalledAfter is how long nothing may move before a measurement fails.
const stalledAfter = 60 * time.Second

// drain is one run of one peer: how far it is, and the programs that take part.
type drain struct {
	records  int
	stored   func(context.Context) (int, error) // how many records are stored
	path     []*program                         // broker and collector, or what takes its place
	database *program                           // nil: there is none
}

// figures are what one drain needed, from the first record stored to the last.
type figures struct {
	rate     float64       // records a second
	path     time.Duration // processor time a record, of broker and collector
	database time.Duration // processor time a record, of the database
	peakKiB  int           // memory of broker and collector
}

// all returns the programs that take part.
func (d *drain) all() []*program {
	if d.database == nil {
		return d.path
	}
	return append(d.path[:len(d.path):len(d.path)], d.database)
}

// measure waits until all records are stored.
func (d *drain) measure(ctx context.Context) (figures, error) {
	first, err := d.await(ctx, 1)
	if err != nil {
		return figures{}, err
	}
	began := time.Now()
	path, database, _, err := d.used()
	if err != nil {
		return figures{}, err
	}
	if _, err := d.await(ctx, d.records); err != nil {
		return figures{}, err
	}
	took := time.Since(began)
	pathAfter, databaseAfter, peak, err := d.used()
	if err != nil {
		return figures{}, err
	}
	n := d.records - first
	if n < d.records/2 {
		return figures{}, fmt.Errorf("%d of %d records were stored at the first look: nothing could be measured",
			first, d.records)
	}
	return figures{
		rate:     float64(n) / took.Seconds(),
		path:     (pathAfter - path) / time.Duration(n),
		database: (databaseAfter - database) / time.Duration(n),
		peakKiB:  peak,
	}, nil
}

// used returns the processor time so far of the path and of the database, and
// the most memory that the path had.
func (d *drain) used() (path, database time.Duration, peakKiB int, err error) {
	for _, p := range d.path {
		u, err := p.use()
		if err != nil {
			return 0, 0, 0, err
		}
		path, peakKiB = path+u.processor, peakKiB+u.peakKiB
	}
	if d.database != nil {
		u, err := d.database.use()
		if err != nil {
			return 0, 0, 0, err
		}
		database = u.processor
	}
	return path, database, peakKiB, nil
}

// await waits until want records are stored, and returns how many are. It fails
// when a program ends, and when nothing moves for stalledAfter.
func (d *drain) await(ctx context.Context, want int) (int, error) {
	last, moved := 0, time.Now()
	for {
		n, err := d.stored(ctx)
		switch {
		case err != nil:
			return n, fmt.Errorf("%d of %d records are stored: %w\n%s", n, d.records, err, d.tails())
		case n >= want:
			return n, nil
		case n > last:
			last, moved = n, time.Now()
		case time.Since(moved) > stalledAfter:
			return n, fmt.Errorf("nothing moved for %s: %d of %d records are stored\n%s",
				stalledAfter, n, d.records, d.tails())
		}
		for _, p := range d.all() {
			select {
			case <-p.done:
				return n, fmt.Errorf("%s has ended\n%s", p.name, p.tail())
			default:
			}
		}
		if !retry.Sleep(ctx, 20*time.Millisecond) {
			return n, ctx.Err()
		}
	}
}

func (d *drain) tails() string {
	var all []string
	for _, p := range d.all() {
		all = append(all, p.tail())
	}
	return strings.Join(all, "\n")
}
