// Package registry keeps who may speak in the county and in whose name: the identities of
// agents with their certificates, the codes with which gates ask for one, and the requests
// that somebody has to decide. Its tables are in the desk's file.
package registry

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/identity/authority"
)

// Identity is an agent's, as it counts now.
type Identity struct {
	Name        string
	Kind        authority.Kind
	Serial      string // of its certificate, hex
	Certificate []byte // DER
	Key         []byte // public, DER
	Issued      time.Time
	NotAfter    time.Time
	Approved    time.Time
	ApprovedBy  string
	Revoked     time.Time // zero: it is not
	RevokedBy   string
}

// Fingerprint is what people read to each other to compare keys.
func (i Identity) Fingerprint() string { return enrolment.Fingerprint(i.Key) }

// Options are those of Open.
type Options struct {
	File      *db.File
	County    string
	Agents    []string // the gates that may get a code
	URLs      []string // of the desk, for gates; empty: codes can't be made
	Files     Files    // what a gate gets
	Collector ed25519.PrivateKey
	Authority *authority.Authority   // nil: nothing is issued
	Memory    string                 // path of MemoryFile; empty: nothing is remembered apart from File
	Packages  func() ([]byte, error) // the public key of packages; nil: the county offers none
	OneKey    bool                   // all gates have one key for pseudonyms, for ever; List says so
	Now       func() time.Time
	Log       *slog.Logger
}

// Files has what a gate gets besides its certificate.
type Files interface {
	Files(agent string) ([]enrolment.File, error)
	// Check says what is wrong with the files.
	Check(agent string) error
}

// Registry is the county's. The methods may be called from any goroutine.
type Registry struct {
	opts Options

	mu         sync.Mutex // guards what follows
	identities map[string]Identity
	revoked    map[string]time.Time // by serial
	signers    map[string]bool      // agents that have signed what they send
	recipients map[string]string
	changed    chan struct{}
	memory     memory
	unwritten  bool // the memory has what its file has not

	unknowns unknowns
}

// Errors for people at a gate or at the desk.
var (
	ErrOff     = errors.New("enrolment is not set up: give enrol: urls in the collector's configuration")
	ErrUnknown = errors.New("the county does not know this code or request: make a new code at the desk")
	ErrLate    = errors.New("the code or request is too old: make a new code at the desk")
	ErrUsed    = errors.New("the code was used already, by another key: make a new code at the desk")
	ErrRefused = errors.New("somebody at the desk has refused the request")
	ErrWaiting = errors.New("somebody at the desk has to approve the request")
	ErrDecided = errors.New("the request was decided already, or is gone")
	ErrKey     = errors.New("this key is another gate's, or void: each gate makes a key of its own; " +
		"remove the folder that was copied and enrol again with a new code")
	ErrGate    = errors.New("the site file has no such gate")
	ErrRevoked = errors.New("this gate's identity was revoked: enrol it again with a new code")
	ErrForged  = errors.New("the request is not signed by the key that counts for this gate")
	// ErrFiles is wrapped when what a gate gets is not all there, or wrong.
	ErrFiles = errors.New("the files for the gate can't be used")
)

// Issuer returns the public key (DER) of the authority that issues, or nil when none has yet.
func Issuer(ctx context.Context, file *db.File) ([]byte, error) {
	key, _, err := db.One(ctx, file.Reader(), db.Value[[]byte], "SELECT spki FROM enrol_authority")
	if err != nil {
		return nil, fmt.Errorf("read who issues certificates: %w", err)
	}
	return key, nil
}

// Open returns the registry in a file. If opts names an authority, that is the one that
// issues from now on.
func Open(ctx context.Context, opts Options) (*Registry, error) {
	r := &Registry{opts: opts, changed: make(chan struct{}), signers: map[string]bool{},
		unknowns: unknowns{listed: map[string]bool{}, agents: map[string]*Unknown{}}}
	for _, agent := range opts.Agents {
		r.unknowns.listed[agent] = true
	}
	var err error
	if r.memory, err = readMemory(opts.Memory); err != nil {
		return nil, err
	}
	if a := opts.Authority; a != nil {
		err := opts.File.Write(ctx, func(tx *sql.Tx) error {
			if err := exec(ctx, tx, "DELETE FROM enrol_authority"); err != nil {
				return err
			}
			return exec(ctx, tx, "INSERT INTO enrol_authority (spki) VALUES (?)",
				a.Certificate().RawSubjectPublicKeyInfo)
		})
		if err != nil {
			return nil, fmt.Errorf("keep who issues certificates: %w", err)
		}
	}
	if err := r.load(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

func exec(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	_, err := tx.ExecContext(ctx, query, args...)
	return err
}

// load reads the identities again, after each change.
func (r *Registry) load(ctx context.Context) error {
	list, err := db.All(
		ctx,
		r.opts.File.Reader(),
		scanIdentity,
		`SELECT name, kind, serial, certificate, spki, issued,
		not_after, approved_at, approved_by, revoked_at, revoked_by FROM identities`,
	)
	if err != nil {
		return fmt.Errorf("read the identities: %w", err)
	}
	void, err := db.All(ctx, r.opts.File.Reader(), scanRevoked,
		"SELECT serial, revoked_at FROM certificates WHERE revoked_at != 0")
	if err != nil {
		return fmt.Errorf("read the revoked certificates: %w", err)
	}
	signers, err := db.All(ctx, r.opts.File.Reader(), db.Value[string], "SELECT name FROM signers")
	if err != nil {
		return fmt.Errorf("read who signs: %w", err)
	}
	recipients, err := readRecipients(ctx, r.opts.File.Reader())
	if err != nil {
		return err
	}
	identities, revoked := map[string]Identity{}, map[string]time.Time{}
	for _, i := range list {
		identities[i.Name] = i
	}
	for _, v := range void {
		revoked[v.serial] = v.at
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remember(identities, revoked)
	r.identities, r.revoked, r.recipients = identities, revoked, recipients
	for _, name := range signers {
		r.signers[name] = true
	}
	close(r.changed)
	r.changed = make(chan struct{})
	return nil
}

func scanIdentity(row db.Row) (i Identity, err error) {
	var issued, notAfter, approved, revoked int64
	err = row.Scan(&i.Name, &i.Kind, &i.Serial, &i.Certificate, &i.Key, &issued, &notAfter, &approved, &i.ApprovedBy,
		&revoked, &i.RevokedBy)
	i.Issued, i.NotAfter, i.Approved, i.Revoked = at(issued), at(notAfter), at(approved), at(revoked)
	return i, err
}

// at returns a time of the tables; 0 is the zero time.
func at(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}

// Lookup returns the identity of an agent, revoked or not.
func (r *Registry) Lookup(name string) (Identity, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, ok := r.identities[name]
	return i, ok
}

// Revoked reports whether the certificate with this serial (hex) counts no more, although
// it may not have ended: its agent was revoked or replaced.
func (r *Registry) Revoked(serial string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, void := r.revoked[serial]
	return void
}

// Changed returns a channel that is closed at the next change of an identity.
func (r *Registry) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

// Identities returns all identities, in no order.
func (r *Registry) Identities() (out []Identity) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, i := range r.identities {
		out = append(out, i)
	}
	return out
}

// Revoke makes all certificates of an agent void at once. by is who does it.
func (r *Registry) Revoke(ctx context.Context, name string, by audit.By) error {
	at := r.opts.Now()
	now := at.UnixNano()
	err := r.opts.File.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(
			ctx,
			"UPDATE identities SET revoked_at = ?, revoked_by = ? WHERE name = ? AND revoked_at = 0",
			now,
			by.Actor,
			name,
		)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrDecided, err)
		}
		act := audit.Act{Action: audit.EnrolRevoke, Object: r.object(name)}
		return errors.Join(audit.Append(ctx, tx, at, by, act), void(ctx, tx, name, now))
	})
	if err != nil {
		return fmt.Errorf("revoke %s: %w", name, err)
	}
	r.opts.Log.Warn("an identity was revoked", "agent", name, "by", by.Actor)
	return r.load(context.WithoutCancel(ctx))
}

// object names an identity in the audit.
func (r *Registry) object(name string) string {
	if i, ok := r.Lookup(name); ok && i.Kind != authority.Agent {
		return string(i.Kind) + " " + name
	}
	return "gate " + name
}

// void makes the certificates of a name count no more.
func void(ctx context.Context, tx *sql.Tx, name string, now int64) error {
	return exec(ctx, tx, "UPDATE certificates SET revoked_at = ? WHERE name = ? AND revoked_at = 0", now, name)
}

// mayUse returns an error when a key is another agent's, or one that was revoked.
func mayUse(ctx context.Context, q db.Querier, name string, key []byte) error {
	n, _, err := db.One(ctx, q, db.Value[int], `SELECT count(*) FROM certificates
		WHERE spki = ? AND (name != ? OR revoked_at != 0)`, key, name)
	if err == nil && n == 0 {
		n, _, err = db.One(ctx, q, db.Value[int],
			"SELECT count(*) FROM enrol_requests WHERE spki = ? AND agent != ?", key, name)
	}
	if err != nil {
		return err
	}
	if n > 0 {
		return ErrKey
	}
	return nil
}

// issued reports whether a certificate is one of the present authority.
func (r *Registry) issued(i Identity, ca *authority.Authority) bool {
	cert, err := x509.ParseCertificate(i.Certificate)
	return err == nil && bytes.Equal(cert.AuthorityKeyId, ca.Certificate().SubjectKeyId) &&
		cert.CheckSignatureFrom(ca.Certificate()) == nil
}
