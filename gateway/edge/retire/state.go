package retire

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gatehouse/gateway/identity"
	"gatehouse/gateway/wire"
)

// The files in which it stands how far a gate's end is.
const (
	stateFile = "retire.json" // in the folder of the journal, until the end
	// DoneFile lies beside the configuration when all is done, and holds no secret.
	DoneFile = "retired.json"
)

// Stage is how far the end of a gate is.
type Stage string

// The stages, in their order.
const (
	None       Stage = ""           // the gate is in service
	Delivering Stage = "delivering" // nobody passes any more; what the journal holds is delivered
	Destroying Stage = "destroying" // all is delivered; what nobody needs any more is removed
	Answering  Stage = "answering"  // it is removed; the county is to get the receipt
	Ending     Stage = "ending"     // the county has the receipt; the rest is removed
	Done       Stage = "done"       // nothing is left but DoneFile
)

// state is what is kept.
type state struct {
	Stage   Stage        `json:"stage"`
	Order   wire.Retire  `json:"order"`
	Retired wire.Retired `json:"retired"`           // not signed before Answering
	Receipt []byte       `json:"receipt,omitempty"` // as it is sent
}

func (r *Retirement) path() string { return filepath.Join(r.opts.Dir, stateFile) }

// read takes over what is kept. A file that can't be read is an error: it says more than
// that there is none.
func (r *Retirement) read() error {
	b, err := os.ReadFile(r.path())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(b, &r.state)
	}
	if err == nil && r.state.Order.Check() != nil {
		err = r.state.Order.Check()
	}
	if err != nil {
		return fmt.Errorf("read how far the end of this gate is: %s: %w: if the gate is to stay in service, "+
			"remove that file; if not, wait for the county to send its message again", r.path(), err)
	}
	return nil
}

// keep makes a state durable, and then takes it.
func (r *Retirement) keep(s state) error {
	b, err := json.Marshal(s)
	if err == nil {
		err = os.MkdirAll(r.opts.Dir, 0o700)
	}
	if err == nil {
		err = identity.Replace(r.path(), b)
	}
	if err != nil {
		return fmt.Errorf("keep how far the end of this gate is: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state = s
	return nil
}

// done is what DoneFile says.
type done struct {
	County  string       `json:"county"`
	Agent   string       `json:"agent"`
	Left    string       `json:"left,omitempty"` // a folder that is to go
	Retired wire.Retired `json:"retired"`
}

// Tidy removes what was left when the end of a gate was interrupted in its last step, and
// returns the gate's name; empty: the folder of config is no gate's that was retired.
func Tidy(config string) (agent string, err error) {
	dir := filepath.Dir(config)
	if _, err := os.Stat(config); !errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	b, err := os.ReadFile(filepath.Join(dir, DoneFile))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	var d done
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	if err != nil {
		return "", fmt.Errorf("read how this gate ended: %w", err)
	}
	if d.Left == "" {
		return d.Agent, nil
	}
	if err := os.Remove(filepath.Join(d.Left, stateFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return d.Agent, fmt.Errorf("remove what is left of the gate: %w", err)
	}
	if err := os.Remove(d.Left); err != nil && !errors.Is(err, os.ErrNotExist) {
		return d.Agent, fmt.Errorf("remove what is left of the gate: %w", err)
	}
	return d.Agent, nil
}
