package enrol

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gatehouse/gateway/config"
	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/secret"
)

// What lies in a gate's folder while it is put into service. The agent starts only when
// agent.yaml is in the folder, which is moved there last.
const (
	stateDir    = ".enrol"
	pendingFile = "pending.json"
	stageDir    = "new"   // the files that came
	readyFile   = "ready" // they are all there
	before      = ".before"
)

// pending is an enrolment that has begun.
type pending struct {
	Code      string `json:"code"`   // as text
	Secret    string `json:"secret"` // decrypts the answer, and later the gate's rules
	Recipient string `json:"recipient"`

	code enrolment.Code
}

// Begun reports whether an enrolment in a gate's folder was not finished.
func Begun(dir string) bool {
	_, err := os.Stat(folder{dir}.state(pendingFile))
	return err == nil
}

// folder is a gate's.
type folder struct{ dir string }

func (f folder) state(name string) string { return filepath.Join(f.dir, stateDir, name) }

// make makes the folder, for this user only.
func (f folder) make() error {
	if err := os.MkdirAll(f.state("."), 0o700); err != nil {
		return fmt.Errorf("make the gate's folder: %w", err)
	}
	for _, dir := range []string{f.dir, f.state(".")} {
		if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // a folder
			return fmt.Errorf("make the gate's folder private: %w", err)
		}
	}
	return nil
}

// begin returns the enrolment with a code, or the one that was not finished.
func (f folder) begin(c enrolment.Code, again bool) (p pending, err error) {
	b, err := secret.Read(f.state(pendingFile))
	if err == nil {
		if err := json.Unmarshal(b, &p); err == nil {
			p.code, err = enrolment.ParseCode(p.Code)
			if err == nil && (c.Agent == "" || c.ID() == p.code.ID()) {
				return p, f.fits(p.code, again || f.staged())
			}
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return p, fmt.Errorf("go on with the enrolment: %w", err)
	}
	if c.Agent == "" {
		return p, errors.New(
			"no enrolment has begun in this folder: give the code that the desk has made for this gate",
		)
	}
	if err := f.fits(c, again); err != nil {
		return p, err
	}
	for _, name := range []string{readyFile, stageDir, pendingFile, enrolment.KeyFile} {
		if err := os.RemoveAll(f.state(name)); err != nil {
			return p, fmt.Errorf("begin the enrolment: %w", err)
		}
	}
	p = pending{Code: c.Text(), code: c}
	if p.Secret, p.Recipient, err = sealed.NewKey(); err != nil {
		return p, err
	}
	if b, err = json.Marshal(p); err == nil { //nolint:gosec // the secret belongs into this file, 0600
		err = identity.Replace(f.state(pendingFile), b)
	}
	if err != nil {
		return p, fmt.Errorf("begin the enrolment: %w", err)
	}
	return p, nil
}

// fits returns an error when the folder is another gate's, or a gate's that must not be replaced.
func (f folder) fits(c enrolment.Code, again bool) error {
	path := filepath.Join(f.dir, enrolment.AgentFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		path += before
	}
	b, err := config.Read(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !again {
		return ErrThere
	}
	old, err := config.Parse[map[string]any](b)
	if name, _ := old["agent"].(string); err == nil && name != c.Agent {
		return fmt.Errorf(
			"%s is of gate %s, and the code is for %s: name an empty folder by --dir",
			path,
			name,
			c.Agent,
		)
	}
	return nil
}

// stage writes the files that came, and the gate's keys and certificates, beside each other.
// own is the secret to whose recipient the answer was encrypted, and the rules will be.
func (f folder) stage(b enrolment.Bundle, ca []byte, own string) error {
	if err := os.RemoveAll(f.state(stageDir)); err != nil {
		return err
	}
	if err := os.Mkdir(f.state(stageDir), 0o700); err != nil {
		return err
	}
	key, err := secret.Read(f.state(enrolment.KeyFile))
	if err != nil {
		return err
	}
	for _, x := range append(b.Files, enrolment.File{Name: enrolment.KeyFile, Bytes: key},
		enrolment.File{Name: enrolment.RecipientFile, Bytes: []byte(own + "\n")},
		enrolment.File{Name: enrolment.CertificateFile, Bytes: identity.PEM(b.Certificate)},
		enrolment.File{Name: enrolment.AuthorityFile, Bytes: identity.PEM(ca)}) {
		if err := identity.Create(f.state(filepath.Join(stageDir, x.Name)), string(x.Bytes), 0o600); err != nil {
			return err
		}
	}
	return identity.SyncFolder(f.state(stageDir))
}

// ready says that all files are staged: from now on they are the gate's.
func (f folder) ready() error {
	if err := identity.Create(f.state(readyFile), "", 0o600); err != nil {
		return fmt.Errorf("write the gate's files: %w", err)
	}
	return identity.SyncFolder(f.state("."))
}

func (f folder) staged() bool {
	_, err := os.Stat(f.state(readyFile))
	return err == nil
}

// commit moves what is staged into the folder. When the power goes meanwhile, the next call
// moves the rest: until then there is no agent.yaml.
func (f folder) commit() error {
	if err := f.moveAll(); err != nil {
		return fmt.Errorf("move the gate's files into its folder: %w", err)
	}
	// ready goes first: what is left without it begins anew.
	if err := errors.Join(os.Remove(f.state(readyFile)), os.RemoveAll(f.state("."))); err != nil {
		return fmt.Errorf("remove what the enrolment needed: %w", err)
	}
	return nil
}

func (f folder) moveAll() error {
	list, err := os.ReadDir(f.state(stageDir))
	if err != nil {
		return err
	}
	main := filepath.Join(f.dir, enrolment.AgentFile)
	last := f.state(filepath.Join(stageDir, enrolment.AgentFile))
	if _, err := os.Stat(last); errors.Is(err, os.ErrNotExist) {
		return nil // it was moved
	}
	if err := os.Rename(main, main+before); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := identity.SyncFolder(f.dir); err != nil {
		return err
	}
	for _, e := range list {
		if e.Name() == enrolment.AgentFile {
			continue
		}
		if err := os.Rename(f.state(filepath.Join(stageDir, e.Name())), filepath.Join(f.dir, e.Name())); err != nil {
			return err
		}
	}
	if err := identity.SyncFolder(f.dir); err != nil {
		return err
	}
	if err := os.Rename(last, main); err != nil {
		return err
	}
	return identity.SyncFolder(f.dir)
}

func publicOf(key crypto.Signer) ([]byte, error) {
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("the gate's key: %w", err)
	}
	return public, nil
}
