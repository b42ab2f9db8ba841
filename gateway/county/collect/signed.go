package collect

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"time"

	"gatehouse/gateway/wire"
)

// Signers knows by which keys agents sign what they send. Its methods are called from any
// goroutine; they must not wait.
type Signers interface {
	Signer(agent string) Signer
	// Unknown is called with each message that is not taken because its agent was never
	// enrolled. It reports whether that is worth a line of the log.
	Unknown(agent string) bool
}

// Signer says how what an agent sends must be signed. Zero: the agent was never enrolled.
type Signer struct {
	Enrolled bool
	Revoked  bool             // nothing is taken from it any more
	Must     bool             // it has signed before: without a signature it is somebody else
	Key      *ecdsa.PublicKey // that counts
	Approved time.Time        // since when it does
	// Signed is called, and may wait, when the agent signs although it need not yet.
	Signed func(ctx context.Context) error
}

// doubt is why a message is not taken for its agent's.
type doubt struct{ why string }

func (d *doubt) Error() string { return d.why }

// These are refused, and the desk names the agent.
var (
	errRevoked = &doubt{"its identity was revoked at the desk: what it sends is not stored, and stays in its " +
		"journal; if it is to deliver again, make a new code and run gatehouse enrol --again at the gate"}
	errForeign = &doubt{"what comes in its name is not signed by its key: somebody else sends it, or its folder was " +
		"copied or brought back from a backup; if it is the gate, make a new code and run gatehouse enrol --again"}
	errUnsigned = &doubt{"what comes in its name is not signed, and it has a key: somebody else sends it, or its " +
		"software is older than before: update it"}
	errFormer     = &doubt{"its key was replaced a moment ago, and it has not signed by the new one yet"}
	errUnreadable = &doubt{"what comes in its name can't be read, nor whether it is signed, and it has a key: " +
		"somebody else sends it"}
	errUnknown = &doubt{"it is not enrolled, and require_signed is set: make a code for it at the desk"}
)

// signer returns how a message of an agent must be signed, or why none is taken.
func (r *receiver) signer(agent string) (s Signer, err error) {
	if r.cfg.Signers != nil {
		s = r.cfg.Signers.Signer(agent)
	}
	switch {
	case s.Revoked:
		return s, errRevoked
	case !s.Enrolled && r.cfg.RequireSigned:
		return s, errUnknown
	}
	s.Must = s.Must || r.cfg.RequireSigned
	return s, nil
}

// unproven returns what to do about a message that can't be read before its signature is
// verified: where it must have one, it may be anybody's.
func (s Signer) unproven(err error) error {
	if s.Must && !errors.Is(err, wire.ErrCRC) {
		return errUnreadable
	}
	return err
}

// settling is how long after its key was approved an agent may still sign by the former
// one without an alarm: it has to fetch the answer first. What it signs so is not taken.
const settling = 2 * time.Minute

// signedFor is how long a decoder waits at most until it is kept that an agent signs.
const signedFor = 2 * time.Second

// judge returns why a message is not taken, after its signature was verified with result.
func (r *receiver) judge(ctx context.Context, agent string, s Signer, result error) error {
	switch {
	case !s.Enrolled, !s.Must && errors.Is(result, wire.ErrUnsigned):
		return nil
	case errors.Is(result, wire.ErrUnsigned):
		return errUnsigned
	case result != nil && r.cfg.Now().Sub(s.Approved) < settling:
		return errFormer
	case result != nil:
		return errForeign
	case s.Signed == nil:
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, signedFor)
	defer cancel()
	if err := s.Signed(ctx); err != nil {
		r.cfg.Log.Error("that an agent signs is not kept: after a start it may send without a signature once more",
			"agent", agent, "err", err)
	}
	return nil
}

// refuse drops a message that is not taken for its agent's. Of one that nobody knows only
// the list of unknown agents has it, unless it is a gate of the site file.
func (r *receiver) refuse(agent string, why *doubt) {
	now := r.cfg.Now()
	switch why {
	case errUnknown:
		if agent == "" { // its topic names none
			r.refusals.slow(now, agent)
			return
		}
		fresh := r.cfg.Signers != nil && r.cfg.Signers.Unknown(agent)
		if r.cfg.listed(agent) {
			r.refusals.add(now, agent, why.why)
			return
		}
		r.refusals.slow(now, agent)
		if fresh {
			r.cfg.Log.Warn("an agent that nobody has enrolled sends; nothing of it is taken", "agent", agent)
		}
	case errRevoked:
		r.refusals.add(now, agent, why.why)
	case errFormer:
		r.refusals.damaged(now, agent, true)
		if r.refusals.due(now, agent, why.why) {
			r.cfg.Log.Info("messages of an agent are not taken yet", "agent", agent, "reason", why.why)
		}
	default:
		r.refusals.forged(now, agent, why.why)
	}
}
