package rules

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/gateway/county/audit"
)

func is(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

// state returns a version as it is listed.
func (b *bench) state(id int64) Version {
	b.t.Helper()
	list, err := b.List(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	for _, v := range list {
		if v.ID == id {
			return v
		}
	}
	b.t.Fatalf("version %d is not listed", id)
	return Version{}
}

func TestTheVersionThatWasApprovedLastIsInForce(t *testing.T) {
	b := newBench(t, false)
	first := b.force(Policy, Default, goodPolicy)
	second := b.add(Policy, Default, strings.Replace(goodPolicy, "37.3", "37.4", 1))
	if v := b.state(first); !v.InForce || v.No != 1 || v.State != Approved || v.By != "li" {
		t.Errorf("%+v", v)
	}
	if v := b.state(second); v.InForce || v.No != 2 || v.State != Draft || v.Decided != nil {
		t.Errorf("%+v", v)
	}
	if err := b.Approve(t.Context(), wang, second, Approval{}); err != nil {
		t.Fatal(err)
	}
	if b.state(first).InForce || !b.state(second).InForce {
		t.Error("the first one is still in force")
	}
	is(t, "twice", b.Approve(t.Context(), wang, second, Approval{}), ErrState)
	if err := b.Withdraw(t.Context(), li, second); err != nil || !b.state(first).InForce {
		t.Errorf("the first one is in force again: %v", err)
	}
	is(t, "withdrawn", b.Approve(t.Context(), wang, second, Approval{}), ErrState)
	is(t, "no such version", b.Ask(t.Context(), li, 99), ErrGone)
	log := audit.New(b.opts.File, b.tick)
	list, err := log.Last(t.Context(), audit.Filter{Object: "rules policy default", Limit: 10})
	if err != nil || len(list) != 5 || list[0].Action != audit.RulesWithdraw || list[0].Actor != "li" ||
		list[1].Action != audit.RulesApprove || list[1].Detail != "version 2, written by li" {
		t.Errorf("%v, %v", list, err)
	}
}

func TestWhatMayNotBeApprovedOrTakenBack(t *testing.T) {
	b := newBench(t, false)
	is(t, "faulty", b.Approve(t.Context(), li, b.add(Policy, Default, "{"), Approval{}), ErrFaulty)
	b.force(Policy, Default, goodPolicy)
	other := b.force(Policy, Default, strings.ReplaceAll(goodPolicy, "resident:", "farmer:"))
	b.force(Roster, Default, strings.ReplaceAll(goodRoster, "resident", "farmer"))
	is(t, "the roster needs it", b.Withdraw(t.Context(), li, other), ErrFaulty)
	shut := b.add(Policy, Default, strings.NewReplacer("resident:", "farmer:", "[in, out]", "[in]").Replace(goodPolicy))
	is(t, "nobody could pass", b.Approve(t.Context(), li, shut, Approval{}), ErrLocks)
	if err := b.Approve(t.Context(), li, shut, Approval{Lock: true}); err != nil {
		t.Errorf("it is wanted: %v", err)
	}
	for _, c := range []struct {
		kind        Kind
		scope, text string
		want        error
	}{
		{"rules", Default, "x", ErrKind}, {Policy, "k9", "x", ErrScope}, {Policy, Default, "", ErrText},
	} {
		_, err := b.Add(t.Context(), li, Key{c.kind, c.scope}, []byte(c.text), "")
		is(t, c.scope, err, c.want)
	}
	_, err := b.Add(t.Context(), li, Key{Policy, Default}, []byte("x"), strings.Repeat("好", 201))
	is(t, "a long note", err, ErrText)
}

func TestTwoPeople(t *testing.T) {
	b := newBench(t, true)
	id := b.add(Policy, Default, goodPolicy)
	is(t, "it was not offered", b.Approve(t.Context(), wang, id, Approval{}), ErrState)
	if err := b.Ask(t.Context(), li, id); err != nil {
		t.Fatal(err)
	}
	is(t, "its author", b.Approve(t.Context(), li, id, Approval{}), ErrSecond)
	root := audit.By{Actor: "root", From: audit.Terminal}
	is(t, "at the terminal", b.Approve(t.Context(), root, id, Approval{}), ErrSecond)
	if v := b.state(id); v.State != Waiting {
		t.Errorf("%+v", v)
	}
	if err := b.Approve(t.Context(), wang, id, Approval{}); err != nil {
		t.Fatal(err)
	}
	is(t, "one person takes it back", b.Withdraw(t.Context(), wang, id), ErrSecond)
}

func TestTheDesksFileHoldsNoNumber(t *testing.T) {
	b := newBench(t, false)
	b.force(Policy, Default, goodPolicy)
	b.force(Roster, Default, goodRoster)
	b.force(Guards, Default, "guard,card,pin\neast-1,6200000901,\n")
	b.force(Contacts, Default, "contacts: [{role: doctor, phone: \"13800001234\"}]")
	all := b.file("desk.db") + b.file("desk.db-wal")
	for _, text := range []string{"62000001", "62000009", "13800", "resident,active"} {
		if strings.Contains(all, text) {
			t.Errorf("desk.db holds %s", text)
		}
	}
	if info, err := os.Stat(filepath.Join(b.dir, "ca", VaultFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestALostVaultKey(t *testing.T) {
	b := newBench(t, false)
	b.force(Policy, Default, goodPolicy)
	id := b.force(Roster, Default, goodRoster)
	if err := os.Remove(filepath.Join(b.dir, "ca", VaultFile)); err != nil {
		t.Fatal(err)
	}
	b.Rules = New(b.opts)
	if v := b.state(id); !v.Locked || !v.InForce {
		t.Errorf("%+v", v)
	}
	_, _, err := b.Text(t.Context(), id)
	is(t, "it can't be read", err, ErrVault)
	_, err = b.Add(t.Context(), li, Key{Roster, Default}, []byte(goodRoster), "")
	is(t, "no key is made in its place", err, ErrVault)
	_, err = b.Check(t.Context(), b.add(Policy, Default, goodPolicy))
	if err != nil {
		t.Errorf("policies are checked: %v", err)
	}
	if _, err := b.AddWithNewKey(t.Context(), li, Key{Roster, Default}, []byte(goodRoster), ""); err != nil {
		t.Fatal(err)
	}
	v := b.state(id + 2)
	if err := b.Approve(t.Context(), li, v.ID, Approval{}); err != nil || v.Locked {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestAVaultKeyThatOthersReadIsRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := CreateVault(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := CreateVault(dir); err == nil {
		t.Error("a second key replaced the first")
	}
	path := filepath.Join(dir, VaultFile)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadVault(dir); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Error(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadVault(dir); err == nil || !strings.Contains(err.Error(), "holds none") {
		t.Error(err)
	}
}
