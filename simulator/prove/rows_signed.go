package prove

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/registry"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/enrol"
	"gatehouse/gateway/edge/journal"
	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/identity/authority"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/world"
)

// signatures are what somebody at the broker does in the name of a gate that signs.
func signatures() []Fault {
	return []Fault{{
		Row:  64,
		Name: "records-forged",
		What: "somebody sends in the name of a gate that signs what it sends: another record under a stored seq, " +
			"a fever ahead, junk; then the gate is revoked, and enrolled again",
		Expect: "none of it is stored, in quarantine or an alarm, and the desk names the gate; revoked, it is " +
			"refused and its journal keeps filling; enrolled again it delivers all of it",
		inject: forgeSigned,
	}}
}

// forgeSigned needs a gate that signs: the first one enrols.
func forgeSigned(ctx context.Context, r *rig) error {
	gate := r.gates[0].ID
	r.wait(ctx, 2*time.Second) // something is stored
	if err := r.enrolling(ctx, func(reg *registry.Registry) error { return r.enrol(ctx, reg, gate) }); err != nil {
		return err
	}
	if err := r.restart(ctx, 0, r.agents[0]); err != nil {
		return err
	}
	jid, through := r.positionOf(ctx, 0)
	if _, ok := r.poll(ctx, 20*time.Second, func() bool {
		_, now := r.positionOf(ctx, 0)
		return now > through
	}); !ok {
		return errors.New("nothing of the gate is stored since it has a key")
	}
	for range 5 {
		if err := r.forgeAs(ctx, gate, jid); err != nil {
			return err
		}
	}
	if detail, err := r.awaitAlertDetail(ctx, fact.AlarmAgentRefused); err != nil {
		return err
	} else if _, conflict := r.findAlert(ctx, fact.AlarmJournalConflict); conflict {
		r.violated("a forged record was compared with the stored one; %s", detail)
	}
	return r.revokeAndEnrol(ctx, gate)
}

// revokeAndEnrol revokes a gate, and enrols it again after it has recorded more.
func (r *rig) revokeAndEnrol(ctx context.Context, gate string) error {
	by := audit.By{Actor: "proof"}
	if err := r.enrolling(ctx, func(reg *registry.Registry) error { return reg.Revoke(ctx, gate, by) }); err != nil {
		return err
	}
	_, held := r.positionOf(ctx, 0)
	r.wait(ctx, 4*time.Second)
	v, err := journal.Look(r.journalDir(gate))
	if err != nil {
		return err
	}
	last := v.Last
	v.Close()
	if _, now := r.positionOf(ctx, 0); now != held || last <= held {
		r.violated("a revoked gate has %d records stored, before %d, and its journal %d", now, held, last)
	}
	r.note("revoked, its journal had %d records more than the store", last-held)
	return r.enrolling(ctx, func(reg *registry.Registry) error { return r.enrol(ctx, reg, gate) })
}

// forgeAs sends in an agent's name what it has not signed.
func (r *rig) forgeAs(ctx context.Context, gate, jid string) error {
	body, err := wire.EncodeBody(&wire.Alarm{ID: "fever:1", Type: fact.AlarmFever, State: fact.AlarmRaised})
	if err != nil {
		return err
	}
	send := func(payload []byte) error {
		return r.publish(ctx, mqtt.Message{Topic: wire.Topic(world.CountyID, gate, wire.LeafRecords), QoS: 1,
			Payload: payload})
	}
	for seq, ahead := range map[uint64]bool{1: false, 1 << 20: true} {
		rec := wire.Record{Seq: seq, At: wire.At(time.Now()), Kind: wire.KindAlarm, Body: body}
		raw, err := wire.EncodeRecord(rec)
		if err != nil {
			return err
		}
		payload, err := wire.EncodeBatch(wire.Batch{Agent: gate, JID: jid, From: seq, To: seq, Ahead: ahead,
			Entries: []wire.Entry{{Record: rec, Raw: raw}}})
		if err != nil {
			return err
		}
		if err := send(payload); err != nil {
			return err
		}
	}
	return send([]byte("junk"))
}

// enrolling changes the registry while the collector is stopped.
func (r *rig) enrolling(ctx context.Context, do func(*registry.Registry) error) error {
	r.collector.end(syscall.SIGTERM, 10*time.Second)
	if err := r.withRegistry(ctx, time.Now, do); err != nil {
		return err
	}
	return r.collector.start()
}

// withRegistry changes the registry by a clock. The collector may run meanwhile, and takes the change in
// within seconds.
func (r *rig) withRegistry(ctx context.Context, now func() time.Time, do func(*registry.Registry) error) error {
	ca, err := authority.Load(r.countyDir()+"-ca", world.CountyID)
	if err != nil {
		return err
	}
	file, err := desk.OpenFile(filepath.Join(r.countyDir(), centre.DeskFile))
	if err != nil {
		return err
	}
	var gates []string
	for _, g := range r.gates {
		gates = append(gates, g.ID)
	}
	reg, err := registry.Open(ctx, registry.Options{File: file, County: world.CountyID, Agents: gates,
		URLs: []string{nobody}, Files: noFiles{}, Authority: ca, Now: now, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		err = do(reg)
	}
	return errors.Join(err, file.Close())
}

// nobody is a desk that is not there: no certificate is renewed.
const nobody = "http://127.0.0.1:1"

// noFiles are what the gate has already.
type noFiles struct{}

func (noFiles) Files(string) ([]enrolment.File, error) { return nil, nil }
func (noFiles) Check(string) error                     { return nil }

// enrol gives a gate a new key and its certificate, as gatehouse enrol and the desk do.
func (r *rig) enrol(ctx context.Context, reg *registry.Registry, gate string) error {
	dir := filepath.Join(r.Dir, gate)
	cert := filepath.Join(dir, "agent.crt")
	id := enrol.Identity{Key: filepath.Join(dir, "agent.key"), Cert: cert, CA: cert, Desk: []string{nobody}}
	fresh := id.Key + ".new"
	key, _, err := identity.LoadOrCreateKey(fresh)
	if err != nil {
		return err
	}
	if err := register(ctx, reg, gate, key); err != nil {
		return err
	}
	i, _ := reg.Lookup(gate)
	err = errors.Join(os.WriteFile(cert, identity.PEM(i.Certificate), 0o600), os.Rename(fresh, id.Key))
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "agent.yaml")
	cfg, err := config.Load[agent.Config](path)
	if err != nil {
		return fmt.Errorf("the gate's configuration: %w", err)
	}
	cfg.Identity = id
	return writeYAML(path, cfg)
}

// register has the county give a gate a certificate for a key.
func register(ctx context.Context, reg *registry.Registry, gate string, key crypto.Signer) error {
	by := audit.By{Actor: "proof"}
	code, _, err := reg.MakeCode(ctx, gate, by)
	if err != nil {
		return err
	}
	_, to, err := sealed.NewKey()
	if err != nil {
		return err
	}
	request, err := enrolment.NewRequest(code, key, to)
	if err != nil {
		return err
	}
	a, err := reg.Request(ctx, request, "127.0.0.1")
	if err == nil {
		err = reg.Approve(ctx, a.ID, by)
	}
	return err
}
