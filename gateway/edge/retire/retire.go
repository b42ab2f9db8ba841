// Package retire ends a gate for good when the county says so: after the journal is
// delivered it destroys what the gate holds, its own key last, and gives the county a
// signed receipt. Wherever it is interrupted, the next start goes on. deploy/END.md says
// what it promises and what not.
package retire

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"gatehouse/gateway/wire"
)

// Options are those of Open.
type Options struct {
	County, Agent string

	Collector ed25519.PublicKey
	// Own reads the gate's own key; nil: it has none, and obeys no message.
	Own func() (crypto.Signer, error)
	// Dir is the folder of the journal: everything in it is destroyed.
	Dir string
	// Files are destroyed with it.
	Files []string
	// Needed are the files without which the receipt can't be sent, in the order in which
	// they are destroyed in the end: the gate's own key, and then the configuration, last.
	Needed []string
	Log    *slog.Logger
}

// Retirement is the end of one gate, or that it has not come. Its methods may be called
// from any goroutine, Destroy, Acknowledged and Finish from one at a time.
type Retirement struct {
	opts  Options
	begun chan struct{} // closed at the order

	mu    sync.Mutex // guards state
	state state
}

// ErrOther says that a message is of another enrolment.
var ErrOther = errors.New("the order to retire is of another enrolment of this gate: it has no effect")

// Open reads how far the end of a gate is. An order for an earlier key of the gate, which
// was enrolled again meanwhile, is forgotten.
func Open(opts Options) (*Retirement, error) {
	r := &Retirement{opts: opts, begun: make(chan struct{})}
	if err := r.read(); err != nil {
		return nil, err
	}
	if r.state.Stage == None {
		return r, nil
	}
	sum, err := r.keySum()
	switch {
	case errors.Is(err, os.ErrNotExist) && r.state.Stage == Ending: // it is gone already
	case err != nil:
		return nil, err
	case sum != r.state.Order.Key:
		opts.Log.Warn("this gate was enrolled again: the order to retire that came before has no effect")
		r.state = state{}
		return r, os.Remove(r.path())
	}
	close(r.begun)
	return r, nil
}

// keySum returns the SHA-256 of the gate's own public key; without one none fits.
func (r *Retirement) keySum() (string, error) {
	if r.opts.Own == nil {
		return "", nil
	}
	key, err := r.opts.Own()
	if err != nil {
		return "", err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return "", fmt.Errorf("the gate's key: %w", err)
	}
	return wire.KeySum(der), nil
}

// Stage returns how far the end is.
func (r *Retirement) Stage() Stage {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.Stage
}

// Begun is closed when the gate is to retire.
func (r *Retirement) Begun() <-chan struct{} { return r.begun }

// Order returns the message that the gate obeys.
func (r *Retirement) Order() wire.Retire {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.Order
}

// Hear takes a message on the gate's topic, whoever sent it. The error wraps
// wire.ErrSignature or ErrOther when the gate does not obey it.
func (r *Retirement) Hear(payload []byte) error {
	if len(payload) == 0 {
		return nil // it was taken back at the broker
	}
	o, err := r.verified(payload)
	if err != nil || r.Stage() != None {
		return err
	}
	if err := r.keep(state{Stage: Delivering, Order: o, Retired: wire.Retired{At: o.At}}); err != nil {
		return err
	}
	r.opts.Log.Warn("the county ends the service of this gate: nobody passes any more; what the journal holds is "+
		"delivered, then keys, lists and journal are destroyed", "id", o.ID)
	close(r.begun)
	return nil
}

// verified returns a message of the county for this key.
func (r *Retirement) verified(payload []byte) (o wire.Retire, err error) {
	if o, err = wire.Decode[wire.Retire](payload); err == nil {
		err = o.Check()
	}
	if err == nil {
		err = wire.VerifyRetire(o, r.opts.County, r.opts.Agent, r.opts.Collector)
	}
	if err != nil {
		return o, fmt.Errorf("an order to retire this gate was refused: %w", err)
	}
	sum, err := r.keySum()
	if err == nil && sum != o.Key {
		err = ErrOther
	}
	return o, err
}

// Receipt returns what is to be sent to the county; nil: not yet.
func (r *Retirement) Receipt() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.Receipt
}

// Acknowledged reports whether a message says that the county has the receipt. Then the
// rest may go, and Finish is due.
func (r *Retirement) Acknowledged(payload []byte) (bool, error) {
	if len(payload) == 0 {
		return false, nil
	}
	o, err := r.verified(payload)
	if err != nil || o.Receipt != sumOf(r.Receipt()) || r.Stage() != Answering {
		return r.Stage() == Ending, err
	}
	s := r.copy()
	s.Stage = Ending
	return true, r.keep(s)
}

func sumOf(payload []byte) string {
	sum := sha256.Sum256(payload)
	return hex.EncodeToString(sum[:])
}

func (r *Retirement) copy() state {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}
