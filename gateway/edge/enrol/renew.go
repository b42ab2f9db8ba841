package enrol

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/retry"
)

// Identity names a gate's own key and certificate in the agent's configuration.
type Identity struct {
	Key   string   `yaml:"key"`             // file: the gate's own key, which never leaves it
	Cert  string   `yaml:"cert"`            // file: its certificate
	CA    string   `yaml:"ca"`              // file: the certificate of the county's authority
	Desk  []string `yaml:"desk"`            // addresses of the desk, where the certificate is renewed
	Proxy string   `yaml:"proxy,omitempty"` // through which it is reached; environment or a URL; default none
}

// Check returns an error when the identity can't be used.
func (i Identity) Check() error {
	if i.Key == "" {
		return nil
	}
	if i.Cert == "" || i.CA == "" {
		return errors.New("give key, cert and ca, as gatehouse enrol writes them")
	}
	return enrolment.CheckURLs(i.Desk)
}

// Renewer asks the desk for the gate's certificate: it gets a new one when two thirds of
// the life of the old one are over, or when the county has another authority. The county's
// clock counts, not the gate's. Make it with NewRenewer.
type Renewer struct {
	identity  Identity
	county    string
	agent     string
	collector ed25519.PublicKey
	client    *http.Client
	log       *slog.Logger
}

// NewRenewer returns the renewer of an agent's identity.
func NewRenewer(i Identity, county, agent string, collector ed25519.PublicKey, log *slog.Logger) *Renewer {
	return &Renewer{i, county, agent, collector, NewClient(i.Proxy), log}
}

// renewEvery is how often the desk is asked. It answers with the same certificate most of
// the time.
const renewEvery = time.Hour

// endedEvery is how often it is asked, on average, by a gate whose certificate has ended:
// no broker lets it in until it has another one.
const endedEvery = 5 * time.Second

// Run asks again and again until ctx ends, for the first time within a minute. The agent
// works the same when nobody answers.
func (r *Renewer) Run(ctx context.Context) {
	spread := retry.Backoff{First: renewEvery / 120, Last: renewEvery / 2, Random: true}
	failing, refused := "", false
	for r.wait(ctx, spread.Next(), refused) {
		err := r.Once(ctx)
		final := new(RefusedError)
		refused = errors.As(err, &final)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && failing != "":
			r.log.Info("the county answers about the gate's certificate again")
			failing = ""
		case err != nil && err.Error() != failing:
			failing = err.Error()
			r.log.Warn("the gate's certificate can't be renewed now; the gate works on, and asks again", "err", err)
		}
	}
}

// wait waits for d, and for a few seconds only when the gate's certificate has ended, unless
// the county has refused another one. It reports whether ctx still runs.
func (r *Renewer) wait(ctx context.Context, d time.Duration, refused bool) bool {
	for d > 0 {
		step := min(d, rand.N(2*endedEvery))
		if !retry.Sleep(ctx, step) {
			return false
		}
		if d -= step; !refused && r.ended(time.Now()) {
			return true
		}
	}
	return ctx.Err() == nil
}

// ended reports whether the gate's certificate counts no more, by the gate's clock.
func (r *Renewer) ended(now time.Time) bool {
	cert, err := identity.LoadCertificate(r.identity.Cert)
	return err == nil && !now.Before(cert.NotAfter)
}

// Once asks once, at each of the desk's addresses until one answers, and keeps a
// certificate that is new.
func (r *Renewer) Once(ctx context.Context) error {
	key, err := identity.LoadKey(r.identity.Key)
	if err != nil {
		return err
	}
	to, err := r.identity.recipient()
	if err != nil {
		r.log.Warn("the gate can't get rules of the county", "err", err)
	}
	ask, err := enrolment.NewRenewal(r.county, r.agent, to, key)
	if err != nil {
		return err
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return fmt.Errorf("write the renewal: %w", err)
	}
	var answer enrolment.Renewed
	d := desk{client: r.client, urls: r.identity.Desk}
	if err := d.first(ctx, body, &answer); err != nil {
		return err
	}
	cert, ca, err := answer.Verify(ask, r.county, key.Public(), r.collector)
	if err != nil {
		return err
	}
	if old, err := identity.LoadCertificate(r.identity.CA); err != nil || !old.Equal(ca) {
		if err := identity.Replace(r.identity.CA, identity.PEM(ca.Raw)); err != nil {
			return fmt.Errorf("keep the authority's certificate: %w", err)
		}
		r.log.Warn("the county has another authority, which its collector vouches for", "was", err)
	}
	if p := answer.Packages; p != nil {
		if err := r.keepPackages(*p, ca); err != nil {
			r.log.Warn("from where this gate is upgraded stays as it was", "err", err)
		}
	}
	old, err := identity.LoadCertificate(r.identity.Cert)
	if err == nil && bytes.Equal(old.Raw, cert.Raw) {
		return nil
	}
	if err := identity.Replace(r.identity.Cert, identity.PEM(cert.Raw)); err != nil {
		return fmt.Errorf("keep the gate's certificate: %w", err)
	}
	r.log.Info("the gate's certificate was renewed", "ends", cert.NotAfter)
	return nil
}

// first posts a renewal to one address after the other until one answers.
func (d *desk) first(ctx context.Context, body []byte, to *enrolment.Renewed) error {
	var errs []error
	for _, url := range d.urls {
		at := strings.TrimSuffix(url, "/") + enrolment.RenewPath
		_, err := d.once(ctx, http.MethodPost, at, body, http.StatusOK, to)
		if final := new(RefusedError); err == nil || errors.As(err, &final) {
			return err
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
