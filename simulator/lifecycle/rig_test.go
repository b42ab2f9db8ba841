//go:build cleanroot

package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/edge/station"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/proof/ledger"
	"gatehouse/gateway/testkit/loopback"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/bench"
	"gatehouse/simulator/clerk"
)

const (
	gateID   = "gate-001"
	countyIn = "/var/lib/gatehouse/county"
	gateIn   = "/var/lib/gatehouse/gate"
	counted  = "/var/lib/gatehouse/readings" // the gate's ledger

	policy = "version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 4s}\n" +
		"classes:\n  resident: {fever: go-home, directions: [in, out]}\n"
	roster = "card,class,status,household,from,until\n62E3086CED,resident,active,1,,\n"
	sites  = "county: qinghe\nname: 清和县\ncrs: WGS-84\ncommunities:\n  - id: c1\n    name: 东城社区\n" +
		"    grids: [{id: g1, name: 一, compounds: [{id: k1, name: 丽景苑, gates: [" + gateID + "]}]}]\n"
)

// rig is a county's computer and a gate's computer with its hardware.
type rig struct {
	t            *testing.T
	county, gate *computer
	broker, desk string // addresses
	hw           *bench.Hardware
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, county: newComputer(t, "county"), gate: newComputer(t, "gate")}
	for _, to := range []*string{&r.broker, &r.desk} {
		address, err := loopback.Free(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		*to = address
	}
	return r
}

// plug gives the gate its hardware, whose ports belong to the group dialout as those of adapters do.
func (r *rig) plug() {
	r.t.Helper()
	dir := r.gate.Path("run/ports")
	hw, err := bench.New(dir, bench.Spec{Thermometer: "gy-mcu90614", Offset: 320, Ambient: 2000,
		Readers: []bench.Reader{{Name: "reader", Model: "rdm6300", Direction: fact.DirectionIn}}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.hw = hw
	if err := os.Chmod(dir, 0o755); err != nil {
		r.t.Fatal(err)
	}
	for _, d := range hw.Devices() {
		tty, err := filepath.EvalSymlinks(d.Port)
		if err != nil {
			r.t.Fatal(err)
		}
		r.gate.run("root", "chgrp", "dialout", tty)
		r.gate.run("root", "chmod", "660", tty)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(r.t.Context()))
	ended := make(chan struct{})
	go func() { hw.Run(ctx); close(ended) }()
	r.t.Cleanup(func() { stop(); <-ended })
}

// devices returns the gate's configuration of its hardware.
func (r *rig) devices() string {
	r.t.Helper()
	list := r.hw.Devices()
	for i := range list {
		list[i].Port = strings.TrimPrefix(list[i].Port, r.gate.Dir)
	}
	text, err := config.Write(map[string][]station.Device{"devices": list})
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// clerk returns somebody at the desk, who becomes its first user by the link in the county's folder.
func (r *rig) clerk() *clerk.Clerk {
	return clerk.New("http://"+r.desk, "li", func(context.Context, string) (string, error) {
		text, err := os.ReadFile(r.county.Path(countyIn + "/setup-link"))
		return strings.TrimSpace(string(text)), err
	})
}

// port returns an address's port.
func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// pass lets n people through the gate.
func (r *rig) pass(n int) {
	r.t.Helper()
	for range n {
		person := bench.Person{Screening: 3650, Reader: "reader", Card: "62E3086CED"}
		if err := r.hw.Present(r.t.Context(), person); err != nil {
			r.t.Fatal(err)
		}
	}
}

// tally compares the readings that the gate has completed with those in the county's store.
type tally struct {
	completed, stored, lost, twice int // readings
	passages, gaps                 int // passages; records missing between others of their journal
}

func (t tally) String() string {
	return fmt.Sprintf("%d readings completed, %d stored, %d of them twice, %d missing; %d passages; %d gaps",
		t.completed, t.stored, t.twice, t.lost, t.passages, t.gaps)
}

func (r *rig) tally() (n tally, err error) {
	counts, err := ledger.Read(r.gate.Path(counted))
	if err != nil {
		return n, err
	}
	a, err := archive.OpenReadOnly(r.county.Path(filepath.Join(countyIn, centre.StoreFile)))
	if err != nil {
		return n, err
	}
	defer a.Close()
	stored, last := map[[16]byte]int{}, map[string]uint64{}
	for row, err := range a.Rows(r.t.Context(), store.Query{}) {
		if err != nil {
			return n, err
		}
		if row.Seq != last[row.JID]+1 {
			n.gaps++
		}
		last[row.JID] = row.Seq
		rec, err := wire.DecodeRecord(row.Raw)
		switch {
		case err != nil:
			return n, err
		case rec.Kind == wire.KindPassage:
			n.passages++
		case rec.Kind == wire.KindReading:
			n.stored++
			stored[ledger.Sum(rec.Body)]++
		}
	}
	for _, sum := range counts.Sums {
		n.completed++
		if stored[sum] == 0 {
			n.lost++
		}
		n.twice += max(0, stored[sum]-1)
	}
	return n, nil
}

// delivered waits until each reading of the gate and a passage are in the store, and checks that none is there
// twice and no record of the journal is missing between others.
func (r *rig) delivered(services ...*service) {
	r.t.Helper()
	var n tally
	var err error
	defer func() { r.t.Logf("%s; %v", n, err) }()
	await(r.t, "every reading", services, func() bool {
		n, err = r.tally()
		return err == nil && n.completed > 0 && n.lost == 0 && n.passages > 0
	})
	if n.twice > 0 || n.gaps > 0 {
		r.t.Error(n)
	}
}

// recorded returns how many readings the gate has completed.
func (r *rig) recorded() int {
	r.t.Helper()
	counts, err := ledger.Read(r.gate.Path(counted))
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return int(counts.N) //nolint:gosec // some hundreds
}
