// Package enrol puts this gate into service with a code from the county's desk: it makes
// the gate's key, asks for a certificate, and writes the folder from which the agent
// starts. Later it renews the certificate.
package enrol

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/lockfile"
	"gatehouse/gateway/tpm"
)

// Options are those of Run.
type Options struct {
	Dir    string // the gate's folder; agent.yaml comes here
	Again  bool   // replace a configuration that is there
	Client *http.Client
	Screen Screen
	// Check reads the configuration in a folder and says what is wrong with it.
	Check func(file string) error
	Poll  time.Duration // how often it asks whether somebody has approved; 0: 2 s
	TPM   string        // where a new key is made: auto, off (as empty), or the path of a TPM (tpm.Find)
}

// TPMAuto has a new key made in the computer's TPM, if there is one that can be used.
const TPMAuto = "auto"

// Screen is where somebody sees how far the enrolment is. Its methods do not wait.
type Screen interface {
	// Asked says that the county has the request, and what to read out by telephone.
	Asked(agent, fingerprint string)
	// Trouble says why nothing goes on at the moment; it goes on by itself.
	Trouble(err error)
	// Answered says that the county answers, after a trouble or without one.
	Answered()
	// Made says that the gate's key was made, in the TPM at a path. The path is empty: in a
	// file, with the reason when there is a TPM that can't be used.
	Made(device string, reason error)
	// Clock says by how much the county's clock is ahead of this computer's.
	Clock(ahead time.Duration)
}

// ErrThere says that the folder holds a gate already.
var ErrThere = errors.New(
	"this folder has an agent.yaml already: to enrol this gate again, which keeps its journal, " +
		"give --again; for another gate name an empty folder by --dir",
)

// ErrFiles is wrapped when the gate's files are wrong as they came.
var ErrFiles = errors.New("what the county has sent can't be used")

// Run puts the gate of a code into service. When it was ended before, it goes on with the
// same key, also after a power cut; a zero code goes on with the one of before. It returns
// the id of the gate's agent when all files are there.
func Run(ctx context.Context, c enrolment.Code, opts Options) (agent string, err error) {
	f := folder{opts.Dir}
	if err := f.make(); err != nil {
		return "", err
	}
	held, err := lockfile.Take(f.state("lock"))
	if errors.Is(err, lockfile.ErrHeld) {
		return "", fmt.Errorf("another gatehouse enrol runs in %s: %w", opts.Dir, err)
	}
	if err != nil {
		return "", fmt.Errorf("lock the gate's folder: %w", err)
	}
	defer held.Close()
	p, err := f.begin(c, opts.Again)
	if err != nil {
		return "", err
	}
	if !f.staged() {
		if err := fetch(ctx, f, p, opts); err != nil {
			return "", err
		}
	}
	return p.code.Agent, f.commit()
}

// fetch asks for the gate's files until they are staged in the folder.
func fetch(ctx context.Context, f folder, p pending, opts Options) error {
	key, err := f.key(opts)
	if err != nil {
		return err
	}
	d := desk{client: opts.Client, urls: p.code.URLs, trouble: opts.Screen.Trouble, answered: opts.Screen.Answered}
	told := false
	d.clock = func(ahead time.Duration) {
		if ahead.Abs() > time.Minute && !told {
			told = true
			opts.Screen.Clock(ahead)
		}
	}
	a, err := ask(ctx, f, &d, p, key)
	if err != nil {
		return err
	}
	opts.Screen.Asked(p.code.Agent, a.Fingerprint)
	answer, err := d.await(ctx, a.ID, opts.Poll)
	if err != nil {
		return f.forgetOn(err)
	}
	b, ca, err := enrolment.OpenAnswer(answer, p.code, a.ID, key.Public(), p.Secret)
	if err != nil {
		return err
	}
	d.clock(time.Until(b.Time))
	if err := f.stage(b, ca.Raw, p.Secret); err != nil {
		return fmt.Errorf("write the gate's files: %w", err)
	}
	if err := opts.Check(f.state(filepath.Join(stageDir, enrolment.AgentFile))); err != nil {
		return fmt.Errorf("%w: mend its files at the county and start this command again: %w", ErrFiles, err)
	}
	return f.ready()
}

// key returns the gate's key, which it makes if there is none yet.
func (f folder) key(opts Options) (crypto.Signer, error) {
	path := f.state(enrolment.KeyFile)
	device, reason := tpm.Find(opts.TPM)
	auto := opts.TPM == TPMAuto
	if reason != nil && !auto {
		return nil, reason
	}
	key, created, err := identity.LoadOrCreateKeyIn(path, device)
	if err != nil && device != "" && auto && !created {
		if _, there := os.Stat(path); errors.Is(there, os.ErrNotExist) { // it is the TPM that failed
			device, reason = "", err
			key, created, err = identity.LoadOrCreateKey(path)
		}
	}
	if err == nil {
		err = identity.SyncFolder(f.state("."))
	}
	if err == nil && created {
		opts.Screen.Made(device, reason)
	}
	return key, err
}

// ask sends the request until the county has it.
func ask(ctx context.Context, f folder, d *desk, p pending, key crypto.Signer) (a enrolment.Accepted, err error) {
	request, err := enrolment.NewRequest(p.code, key, p.Recipient)
	if err != nil {
		return a, err
	}
	if a, err = d.request(ctx, request); err != nil {
		return a, f.forgetOn(err)
	}
	public, err := publicOf(key)
	if err != nil {
		return a, err
	}
	if a.Fingerprint != enrolment.Fingerprint(public) {
		a.Fingerprint = enrolment.Fingerprint(public) // what this gate has counts, not what somebody says of it
	}
	return a, nil
}

// forgetOn forgets a code that is of no use any more, so that the next one begins anew. It
// returns err.
func (f folder) forgetOn(err error) error {
	if final := new(RefusedError); errors.As(err, &final) {
		return errors.Join(err, os.RemoveAll(f.state(pendingFile)), os.RemoveAll(f.state(enrolment.KeyFile)))
	}
	return err
}
