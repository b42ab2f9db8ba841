package prove

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/identity/authority"
)

// certificates are what happens to the certificates of gates. The broker lets nobody in
// without one.
func certificates() []Fault {
	return []Fault{{
		Row:  39,
		Name: "certificate-revoked",
		What: "the desk revokes a gate while people come; later the gate enrols again with a new code, and its " +
			"agent runs all the time",
		Expect: "its connection is cut within 5 s, it is not let in again, its journal keeps filling; then all of it " +
			"is delivered",
		prepare: byCodes(enrolled{certificates: true}),
		inject:  revokeMidStream,
	}, {
		Row:  40,
		Name: "certificate-expired",
		What: "two gates are offline; the certificate of one has ended 10 days ago when they are back, that of the " +
			"other 31 days ago, which is a day longer than the grace",
		Expect:  "the first renews its certificate by itself; the second needs a new code; both deliver everything",
		prepare: byCodes(enrolled{certificates: true}),
		inject:  expireOffline,
	}, {
		Row:     67,
		Name:    "certificate-cloned",
		What:    "the disk of a gate is copied, with its key and certificate, to a second computer, and both run",
		Expect:  "an alarm that names both journals; the records of both are stored",
		gates:   3,
		prepare: byCodes(enrolled{certificates: true}),
		inject:  cloneCertificate,
		after:   stopClone,
	}}
}

// cutWithin is how soon a gate that is revoked must be cut off.
const cutWithin = 5 * time.Second

// lost and made begin what an agent logs of its connection.
const (
	connectionLost = "broker connection"
	connectionMade = "connected to the broker"
)

// revokeMidStream revokes the first gate, and enrols it again.
func revokeMidStream(ctx context.Context, r *rig) error {
	gate := r.gates[0].ID
	if err := r.storesMore(ctx, 0); err != nil {
		return err
	}
	lost := strings.Count(r.agents[0].printed(), connectionLost)
	begin := time.Now()
	if err := r.clerk.Revoke(ctx, gate); err != nil {
		return err
	}
	_, ok := r.poll(ctx, cutWithin, func() bool {
		return strings.Count(r.agents[0].printed(), connectionLost) > lost
	})
	took := time.Since(begin)
	if !ok {
		return fmt.Errorf("%s is revoked, and is not cut off within %s", gate, cutWithin)
	}
	made := strings.Count(r.agents[0].printed(), connectionMade)
	_, held := r.positionOf(ctx, 0)
	before, err := r.last(gate)
	if err != nil {
		return err
	}
	r.wait(ctx, 4*time.Second)
	after, err := r.last(gate)
	if err != nil {
		return err
	}
	if _, now := r.positionOf(ctx, 0); now != held {
		r.violated("a revoked gate has %d records stored, %d when it was cut off", now, held)
	}
	if strings.Count(r.agents[0].printed(), connectionMade) > made {
		r.violated("a revoked gate was let in again")
	}
	if after <= before {
		r.violated("the journal of a revoked gate does not grow: seq %d, and later %d", before, after)
	}
	r.note("cut off after %.1f s; its journal had %d records more than the store", took.Seconds(), after-held)
	return r.enrolGates(ctx, gate)
}

// last returns the last seq in a gate's journal.
func (r *rig) last(gate string) (uint64, error) {
	v, err := journal.Look(r.journalDir(gate))
	if err != nil {
		return 0, err
	}
	defer v.Close()
	return v.Last, nil
}

// storesMore waits until more records of a gate are stored than now.
func (r *rig) storesMore(ctx context.Context, gate int) error {
	_, before := r.positionOf(ctx, gate)
	_, ok := r.poll(ctx, time.Minute, func() bool {
		_, now := r.positionOf(ctx, gate)
		return now > before
	})
	if !ok {
		return fmt.Errorf("nothing more of %s is stored: %d records are", r.gates[gate].ID, before)
	}
	return nil
}

// offline cuts the gates off from broker and desk, or connects them again.
func (r *rig) offline(cut bool) {
	r.line.Cut(cut)
	r.enrolled.line.Cut(cut)
}

// expireOffline lets the certificates of two gates end while they are offline.
func expireOffline(ctx context.Context, r *rig) error {
	for gate := range r.gates {
		if err := r.storesMore(ctx, gate); err != nil {
			return err
		}
	}
	r.offline(true)
	const day = 24 * time.Hour
	for gate, ended := range []time.Duration{10 * day, authority.Grace + day} {
		if err := r.age(ctx, r.gates[gate].ID, authority.Life+ended); err != nil {
			return err
		}
	}
	r.wait(ctx, 2*time.Second)
	waiting := r.backlog(ctx)
	if waiting == 0 {
		return errors.New("the gates are offline, and no record waits")
	}
	r.offline(false)
	begin := time.Now()
	if err := r.storesMore(ctx, 0); err != nil {
		return fmt.Errorf("within the grace: %w", err)
	}
	took := time.Since(begin)
	_, held := r.positionOf(ctx, 1)
	const refusal = "make a new code at the desk"
	if _, ok := r.poll(ctx, time.Minute, func() bool {
		return strings.Contains(r.agents[1].printed(), refusal)
	}); !ok {
		return fmt.Errorf("%s does not say that it needs a new code:\n%s", r.gates[1].ID, r.agents[1].tail())
	}
	if _, now := r.positionOf(ctx, 1); now != held {
		r.violated("%s is stored with a certificate that has ended: seq %d, before %d", r.gates[1].ID, now, held)
	}
	r.note("%d records waited; renewed and delivering after %.1f s", waiting, took.Seconds())
	return r.enrolGates(ctx, r.gates[1].ID)
}

// age gives a gate another certificate for its key, as one that was issued before.
func (r *rig) age(ctx context.Context, gate string, before time.Duration) error {
	key, err := identity.LoadKey(filepath.Join(r.Dir, gate, "agent.key"))
	if err != nil {
		return err
	}
	issued := time.Now().Add(-before)
	return r.withRegistry(ctx, func() time.Time { return issued }, func(reg *registry.Registry) error {
		if err := register(ctx, reg, gate, key); err != nil {
			return err
		}
		i, _ := reg.Lookup(gate)
		return identity.Replace(filepath.Join(r.Dir, gate, "agent.crt"), identity.PEM(i.Certificate))
	})
}

// cloneCertificate starts the third gate's agent as a copy of the first one's disk, with its key.
func cloneCertificate(ctx context.Context, r *rig) error {
	to := filepath.Join(r.Dir, r.gates[2].ID)
	if err := r.stopWhenDelivered(ctx, r.agents[2], r.gates[2].ID); err != nil {
		return err
	}
	for _, name := range []string{"agent.key", "agent.crt", "agent.age", "site.key"} {
		from := filepath.Join(r.Dir, r.gates[0].ID, name)
		b, err := os.ReadFile(from)
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), b, 0o600)
		}
		if err != nil {
			return err
		}
	}
	if err := cloneAgent(ctx, r); err != nil {
		return err
	}
	detail, err := r.awaitAlertDetail(ctx, "agent-cloned")
	if err != nil {
		return err
	}
	for _, dir := range []string{r.cloneDir, r.journalDir(r.gates[0].ID)} {
		v, err := journal.Look(dir)
		if err != nil {
			return err
		}
		v.Close()
		if !strings.Contains(detail, v.JID) {
			return fmt.Errorf("the alarm does not name journal %s: %s", v.JID, detail)
		}
	}
	return nil
}
