// Package welcome is the guard's screen on a computer that is no gate yet: a person scans
// or types the code from the county, reads a fingerprint out by telephone, and waits. The
// screen goes over to the gate's own by itself.
package welcome

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/edge/enrol"
	"gatehouse/gateway/enrolment"
)

// Step is how far a computer is on its way to be a gate.
type Step string

// The steps. The page has a picture for each.
const (
	Code    Step = "code"    // somebody has to type or scan the code
	Asking  Step = "asking"  // the county is asked, and has not answered yet
	Waiting Step = "waiting" // somebody at the county has to approve
	Wrong   Step = "wrong"   // it does not go on without a person
	Done    Step = "done"    // it is a gate
)

// View is what the page shows.
type View struct {
	Step        Step   `json:"step"`
	Agent       string `json:"agent,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"` // 16 digits in groups of 4
	// Trouble says why the county can't be asked at the moment: network, proxy, county.
	Trouble string `json:"trouble,omitempty"`
	// Wrong is why it does not go on: the desk's code (enrol-late, ...), files or folder.
	Wrong string `json:"wrong,omitempty"`
	Ahead int    `json:"ahead,omitempty"` // of the county's clock, in seconds, if more than a minute
	// Scanned is what was wrong with what a scanner at a serial port has read.
	Scanned *WrongCode `json:"scanned,omitempty"`
	Text    string     `json:"text,omitempty"` // of the trouble, or what is wrong, for engineers
	To      string     `json:"to,omitempty"`   // address of the gate's screen, when it is done; empty: it has none
}

// Options are those of New. Dir, Proxy and Check are as in enrol.Options.
type Options struct {
	Dir    string
	Again  bool
	Proxy  string
	Check  func(file string) error
	Poll   time.Duration // how often the county is asked; 0: as enrol does
	TPM    string        // as in enrol.Options
	Screen func() string // address of the gate's own screen, once it is a gate; empty: it has none
	Log    *slog.Logger
}

// Welcome puts this computer into service. Make it with New.
type Welcome struct {
	opts  Options
	codes chan enrolment.Code // one, that Run takes next
	again chan struct{}       // somebody wants another code

	mu   sync.Mutex
	view View
	told chan struct{} // closed when a page has been told that it is done
}

// New returns what Serve serves.
func New(opts Options) *Welcome {
	return &Welcome{opts: opts, codes: make(chan enrolment.Code, 1), again: make(chan struct{}, 1),
		view: View{Step: Code}, told: make(chan struct{})}
}

// View returns what the page shows.
func (w *Welcome) View() View {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.view
}

func (w *Welcome) change(do func(v *View)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	do(&w.view)
}

// errAgain ends an enrolment because somebody wants to type another code.
var errAgain = errors.New("another code")

// run enrols until this computer is a gate, or ctx ends. It goes on with an enrolment that
// was not finished.
func (w *Welcome) run(ctx context.Context) error {
	goOn := enrol.Begun(w.opts.Dir)
	for {
		var code enrolment.Code
		if !goOn {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case code = <-w.codes:
			}
		}
		w.change(func(v *View) { *v = View{Step: Asking, Agent: code.Agent} })
		err := w.once(ctx, code)
		switch {
		case err == nil:
			w.change(func(v *View) { *v = View{Step: Done, Agent: v.Agent, To: w.opts.Screen()} })
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errAgain):
			goOn = false
			w.change(func(v *View) { *v = View{Step: Code} })
			continue
		}
		w.opts.Log.Warn("this computer could not be put into service", "err", err)
		w.change(func(v *View) { *v = View{Step: Wrong, Agent: v.Agent, Wrong: reason(err), Text: err.Error()} })
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.again:
		}
		// After what a person has mended here or at the county the same code goes on.
		if goOn = enrol.Begun(w.opts.Dir); !goOn {
			w.change(func(v *View) { *v = View{Step: Code} })
		}
	}
}

// once runs one enrolment, until somebody wants another code.
func (w *Welcome) once(ctx context.Context, code enrolment.Code) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan error, 1)
	go func() {
		_, err := enrol.Run(ctx, code, enrol.Options{Dir: w.opts.Dir, Again: w.opts.Again,
			Client: enrol.NewClient(w.opts.Proxy), Screen: w, Check: w.opts.Check, Poll: w.opts.Poll, TPM: w.opts.TPM})
		ended <- err
	}()
	select { // what was pressed before does not count
	case <-w.again:
	default:
	}
	for {
		select {
		case err := <-ended:
			if errors.Is(context.Cause(ctx), errAgain) {
				return errAgain
			}
			return err
		case <-w.again:
			cancel(errAgain)
		}
	}
}

// reason returns the code of the page's words for an error.
func reason(err error) string {
	if refused := new(enrol.RefusedError); errors.As(err, &refused) {
		return refused.Code
	}
	if errors.Is(err, enrol.ErrFiles) || errors.Is(err, enrolment.ErrForged) {
		return "files"
	}
	return "folder"
}

// Asked implements enrol.Screen.
func (w *Welcome) Asked(agent, fingerprint string) {
	w.opts.Log.Info("the county is asked to approve this gate", "agent", agent, "fingerprint", fingerprint)
	w.change(func(v *View) {
		v.Step, v.Agent, v.Fingerprint, v.Trouble, v.Text = Waiting, agent, fingerprint, "", ""
	})
}

// Trouble implements enrol.Screen.
func (w *Welcome) Trouble(err error) {
	kind := "network"
	switch {
	case errors.Is(err, enrol.ErrNotDesk):
		kind = "proxy"
	case errors.Is(err, enrol.ErrAsksFor):
		kind = "county"
	}
	if text := strings.ToValidUTF8(err.Error(), ""); w.View().Text != text {
		w.opts.Log.Warn("the county can't be asked now; it is tried again", "err", err)
		w.change(func(v *View) { v.Trouble, v.Text = kind, text })
	}
}

// Answered implements enrol.Screen.
func (w *Welcome) Answered() { w.change(func(v *View) { v.Trouble, v.Text = "", "" }) }

// Made implements enrol.Screen.
func (w *Welcome) Made(device string, reason error) {
	switch {
	case device != "":
		w.opts.Log.Info("the gate's key was made in the TPM", "tpm", device)
	case reason != nil:
		w.opts.Log.Warn("the gate's key is a file: the TPM can't be used", "err", reason)
	default:
		w.opts.Log.Info("the gate's key is a file that only this account may read")
	}
}

// Clock implements enrol.Screen.
func (w *Welcome) Clock(ahead time.Duration) {
	w.opts.Log.Warn("this computer's clock differs from the county's", "ahead", ahead)
	w.change(func(v *View) { v.Ahead = int(ahead / time.Second) })
}
