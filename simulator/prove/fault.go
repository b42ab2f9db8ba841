package prove

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Fault is a row of the fault matrix: something that goes wrong under load.
type Fault struct {
	Row    int    // its number
	Name   string // agent-killed
	What   string // is done to the county
	Expect string // besides that nothing is lost or stored twice

	gates   int  // 2 when 0
	influx  bool // telemetry goes to InfluxDB
	holes   bool // recorded holes are allowed
	poison  int  // messages that belong into quarantine, at most
	rewinds bool // the store forgets: agents then know more than it has
	slow    bool // takes more than half a minute
	mixes   bool // may strike together with others, on one county
	line    bool // has the line for itself
	lies    bool // heartbeats arrive damaged, and nothing in them shows it
	before  func(ctx context.Context, r *rig) error
	strike  func(ctx context.Context, r *rig) error
	after   func(ctx context.Context, r *rig) error // at rest, all still runs
	settled func(r *rig, result Result) error       // all has ended
}

// Faults is the matrix.
func Faults() []Fault {
	all := slices.Concat(kills(), lines(), disks(), clocks(), sensors(), databases(), brokers(), counties(),
		strangers())
	slices.SortFunc(all, func(a, b Fault) int { return a.Row - b.Row })
	return all
}

// Matrix says which faults strike, and how often.
type Matrix struct {
	Gatehouse string
	Names     []string // of faults; empty: all
	Rounds    int
	Seed      uint64
	Jobs      int           // faults at the same time
	Long      bool          // waits are four times as long
	For       time.Duration // how long a row that has no end goes on; 20 s when 0
	Quick     bool          // only rows that take less than half a minute
	Earlier   string        // program of an earlier version, for versions-swapped
	Keep      bool          // everything of every fault, not of those that failed only
	Dir       string

	patience time.Duration // with one fault; six minutes when 0
}

// Outcome is what became of one fault.
type Outcome struct {
	Row         int      `json:"row"`
	Name        string   `json:"name"`
	Seed        uint64   `json:"seed"`
	Parsed      int      `json:"parsed"`
	Stored      int      `json:"stored"`
	Quarantined int      `json:"quarantined"`
	Holes       int      `json:"holes"`
	Counted     int      `json:"counted,omitempty"` // readings that are gone, and that the row allows and counts
	Lost        int      `json:"lost"`
	Duplicated  int      `json:"duplicated"`
	Seconds     float64  `json:"seconds"`
	Notes       []string `json:"notes,omitempty"`
	Problems    []string `json:"problems,omitempty"`
	Failed      bool     `json:"failed"`
}

// Choose gives the faults of the given names.
func Choose(names []string) ([]Fault, error) {
	all := Faults()
	if len(names) == 0 || slices.Equal(names, []string{"all"}) {
		return all, nil
	}
	var out []Fault
	for _, name := range names {
		i := slices.IndexFunc(all, func(f Fault) bool { return f.Name == name || fmt.Sprint(f.Row) == name })
		if i < 0 {
			return nil, fmt.Errorf("--fault %q: see simulator prove --list", name)
		}
		if !slices.ContainsFunc(out, func(f Fault) bool { return f.Row == all[i].Row }) {
			out = append(out, all[i])
		}
	}
	return out, nil
}

// job is one fault of one round.
type job struct {
	f    Fault
	seed uint64
}

// Run lets the faults strike, each on a county of its own, and tells each
// outcome as it comes, one after the other.
func (m Matrix) Run(ctx context.Context, tell func(Outcome)) error {
	chosen, err := Choose(m.Names)
	if err != nil {
		return err
	}
	var jobs []job
	for round := range max(1, m.Rounds) {
		for _, f := range chosen {
			if !m.Quick || !f.slow {
				jobs = append(jobs, job{f, m.Seed + uint64(round)*1000})
			}
		}
	}
	queue := make(chan job)
	var telling sync.Mutex
	var wg sync.WaitGroup
	for range max(1, m.Jobs) {
		wg.Go(func() {
			for j := range queue {
				o := m.one(ctx, j.f, j.seed)
				telling.Lock()
				tell(o)
				telling.Unlock()
			}
		})
	}
	for _, j := range jobs {
		if ctx.Err() == nil {
			queue <- j
		}
	}
	close(queue)
	wg.Wait()
	return ctx.Err()
}

// one lets one fault strike.
func (m Matrix) one(ctx context.Context, f Fault, seed uint64) Outcome {
	ctx, cancel := context.WithTimeout(ctx, m.For+cmp.Or(m.patience, 6*time.Minute))
	defer cancel()
	begin := time.Now()
	dir := filepath.Join(m.Dir, fmt.Sprintf("%s-%d", f.Name, seed))
	o := Outcome{Row: f.Row, Name: f.Name, Seed: seed}
	r := newRig(f, m, seed, dir)
	result, problems, err := r.strike(ctx)
	if err == nil && f.settled != nil {
		err = f.settled(r, result)
	}
	o.Parsed, o.Stored, o.Quarantined, o.Holes, o.Counted, o.Lost, o.Duplicated = result.Parsed, result.Stored, result.Quarantined, result.Holes, result.Counted, result.Lost, result.Duplicated
	o.Problems = append(problems, r.broke...)
	if err != nil {
		o.Problems = append(o.Problems, err.Error())
	}
	switch {
	case err == nil && o.Parsed == 0:
		o.Problems = append(o.Problems, "nothing was parsed: the fault struck nobody")
	case !f.holes && o.Holes > 0:
		o.Problems = append(o.Problems, fmt.Sprintf("%d holes where none may be", o.Holes))
	case o.Quarantined > f.poison:
		o.Problems = append(o.Problems,
			fmt.Sprintf("%d messages in quarantine, at most %d belong there", o.Quarantined, f.poison))
	}
	o.Notes, o.Seconds = r.notes, hundredth(time.Since(begin).Seconds())
	o.Failed = len(o.Problems) > 0 || o.Lost > 0 || o.Duplicated > 0
	switch {
	case !o.Failed && !m.Keep:
		os.RemoveAll(dir)
	case !o.Failed:
		o.Notes = append(o.Notes, "everything is kept in "+dir)
	default:
		o.Problems = append(o.Problems, "everything is kept in "+dir)
	}
	return o
}

// Line is an outcome for people.
func (o Outcome) Line() string {
	state := "ok"
	if o.Failed {
		state = "FAILED"
	}
	text := fmt.Sprintf("%2d %-22s parsed %5d  stored %5d  quarantined %2d  holes %4d  lost %d  duplicated %d  %5.1f s  %s", o.Row, o.Name,
		o.Parsed, o.Stored, o.Quarantined, o.Holes, o.Lost, o.Duplicated, o.Seconds, state)
	if o.Counted > 0 {
		text += fmt.Sprintf("  counted as gone %d", o.Counted)
	}
	if len(o.Notes) > 0 {
		text += "  (" + strings.Join(o.Notes, "; ") + ")"
	}
	for _, p := range o.Problems {
		text += "\n     " + p
	}
	return text
}
