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

// Fault is a row of the fault matrix: a fault that is injected into a small
// county under load.
type Fault struct {
	Row    int    // its number
	Name   string // for --fault
	What   string // what is done to the county
	Expect string // what must happen, besides that nothing is lost or stored twice

	gates        int  // 0: two
	influx       bool // telemetry goes to InfluxDB
	holes        bool // recorded holes are allowed
	quarantine   int  // how many quarantined messages are allowed
	storeForgets bool // the store loses records: agents then know more than it has
	slow         bool // takes more than half a minute
	combinable   bool // may be combined with others in one county
	setsLine     bool // sets the state of the line: not with another one that does
	ends         bool // the gates' journals are destroyed when they are delivered
	badBeats     bool // heartbeats arrive damaged without showing it

	prepare func(ctx context.Context, r *rig) error // before anything is started; or nil
	inject  func(ctx context.Context, r *rig) error // under load
	after   func(ctx context.Context, r *rig) error // everything is delivered, all programs run; or nil
	verify  func(r *rig, result Result) error       // all programs have ended; or nil
}

// Faults returns the fault matrix, by row.
func Faults() []Fault {
	all := slices.Concat(kills(), lines(), disks(), clocks(), sensors(), databases(), brokers(), counties(),
		storeFiles(), misbehavingAgents(), reportFiles(), slowDisks(), readers(), wipes(), unreachable(), posts(),
		audits(), signatures(), commanded(), certificates(), published(),
		rollOvers(), ends(), backups())
	slices.SortFunc(all, func(a, b Fault) int { return a.Row - b.Row })
	return all
}

// Matrix are the options of a run of the fault matrix.
type Matrix struct {
	Gatehouse string
	Names     []string // of faults; empty: all
	Rounds    int
	Seed      uint64
	Jobs      int           // faults at the same time
	Long      bool          // wait four times as long everywhere
	For       time.Duration // how long a row without an end of its own lasts; 0: 20 s
	Quick     bool          // only rows that take less than half a minute
	Earlier   string        // program of an earlier version, for versions-swapped
	Keep      bool          // keep the files of all faults, not only of those that failed
	Dir       string

	timeout time.Duration // of one fault; 0: six minutes
}

// Outcome is the result of one fault.
type Outcome struct {
	Row         int      `json:"row"`
	Name        string   `json:"name"`
	Seed        uint64   `json:"seed"`
	Parsed      int      `json:"parsed"`
	Stored      int      `json:"stored"`
	Quarantined int      `json:"quarantined"`
	Holes       int      `json:"holes"`
	Counted     int      `json:"counted,omitempty"` // readings that the fault may lose and that are accounted for
	Lost        int      `json:"lost"`
	Duplicated  int      `json:"duplicated"`
	Seconds     float64  `json:"seconds"`
	Notes       []string `json:"notes,omitempty"`
	Problems    []string `json:"problems,omitempty"`
	Failed      bool     `json:"failed"`
}

// Choose returns the faults of the given names or numbers; all of them if names
// is empty or "all".
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

// Run injects the faults, each into a county of its own. It calls report with
// each outcome, one call at a time.
func (m Matrix) Run(ctx context.Context, report func(Outcome)) error {
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
	var reporting sync.Mutex
	var wg sync.WaitGroup
	for range max(1, m.Jobs) {
		wg.Go(func() {
			for j := range queue {
				o := m.one(ctx, j.f, j.seed)
				reporting.Lock()
				report(o)
				reporting.Unlock()
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

// one injects one fault.
func (m Matrix) one(ctx context.Context, f Fault, seed uint64) Outcome {
	ctx, cancel := context.WithTimeout(ctx, m.For+cmp.Or(m.timeout, 6*time.Minute))
	defer cancel()
	begin := time.Now()
	dir := filepath.Join(m.Dir, fmt.Sprintf("%s-%d", f.Name, seed))
	o := Outcome{Row: f.Row, Name: f.Name, Seed: seed}
	r := newRig(f, m, seed, dir)
	result, problems, err := r.strike(ctx)
	if err == nil && f.verify != nil {
		err = f.verify(r, result)
	}
	o.Parsed, o.Stored, o.Quarantined, o.Holes = result.Parsed, result.Stored, result.Quarantined, result.Holes
	o.Counted, o.Lost, o.Duplicated = result.Counted, result.Lost, result.Duplicated
	o.Problems = append(problems, r.violations...)
	if err != nil {
		o.Problems = append(o.Problems, err.Error())
	}
	switch {
	case err == nil && o.Parsed == 0:
		o.Problems = append(o.Problems, "no reading was parsed: the fault had no effect")
	case !f.holes && o.Holes > 0:
		o.Problems = append(o.Problems, fmt.Sprintf("%d holes, none is allowed", o.Holes))
	case o.Quarantined > f.quarantine:
		o.Problems = append(o.Problems,
			fmt.Sprintf("%d messages in quarantine, at most %d are allowed", o.Quarantined, f.quarantine))
	}
	o.Notes, o.Seconds = r.notes, round2(time.Since(begin).Seconds())
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

// Line formats an outcome for people. Notes and problems follow it.
func (o Outcome) Line() string {
	state := "ok"
	if o.Failed {
		state = "FAILED"
	}
	text := fmt.Sprintf("%2d %-22s parsed %5d  stored %5d  quarantined %2d  holes %4d  "+
		"lost %d  duplicated %d  %5.1f s  %s",
		o.Row, o.Name, o.Parsed, o.Stored, o.Quarantined, o.Holes, o.Lost, o.Duplicated, o.Seconds, state)
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
