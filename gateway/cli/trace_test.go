package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/consent"
	"gatehouse/gateway/county/desk"
	"gatehouse/gateway/county/epochs"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/county/store/archive"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/testkit/storetest"
)

const traced = "62E3086CED"

// newEpochs makes a county whose gate has recorded two passages of one card, in two epochs,
// and one of another card. It returns its folder, the identities of two people, and the
// pseudonym of the first passage.
func newEpochs(t *testing.T) (dir string, identities []string, pseudonym string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "county")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	cfg := epochs.Config{People: map[string]string{}}
	for _, name := range []string{"wang", "li"} {
		key, to, err := sealed.NewKey()
		path := filepath.Join(t.TempDir(), name)
		if err == nil {
			err = os.WriteFile(path, []byte("# of "+name+"\n"+key+"\n"), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		cfg.People[name], identities = to, append(identities, path)
	}
	first := time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC)
	b := storetest.Empty(1, 1, 3)
	for i, at := range []time.Time{first, first.AddDate(0, 0, 20), first} {
		e, err := epochs.Open(centre.Config{Dir: dir}.EpochsDir(), cfg, time.UTC, []string{b.Agent}, at)
		if err != nil {
			t.Fatal(err)
		}
		ring, err := e.GateKeys(b.Agent, at)
		if i == 2 {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		p := storetest.Passage(fact.VerdictPass, uint64(i+1))
		p.Credential = ring.At(at).Pseudonym("card", traced)
		if i == 0 {
			pseudonym = p.Credential
		}
		b.Entries = append(b.Entries, storetest.Entry(uint64(i+1), p))
	}
	b.Entries = append(b.Entries, storetest.Entry(3, storetest.Passage(fact.VerdictRefuse, 3)))
	s, err := archive.OpenSQLite(filepath.Join(dir, centre.StoreFile))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Commit(t.Context(), []store.Batch{b}); err != nil {
		t.Fatal(err)
	}
	addUsers(t, dir, "admin1", "auditor1")
	return dir, identities, pseudonym
}

// agreeSoon lets the auditor agree to what is asked next.
func agreeSoon(t *testing.T, dir string, id int64) (wait func()) {
	t.Helper()
	file, err := desk.OpenFile(filepath.Join(dir, centre.DeskFile))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		asked := consent.New(file, time.Now)
		for range 600 {
			if asked.Agree(t.Context(), people.Actor{Name: "auditor1", Role: people.Auditor}, id) == nil {
				return
			}
			select {
			case <-t.Context().Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return func() { <-done; _ = file.Close() }
}

func TestTwoPeopleTraceAPersonOverEpochs(t *testing.T) {
	dir, ids, pseudonym := newEpochs(t)
	roster := filepath.Join(t.TempDir(), "roster.csv")
	text := "card,class,status,household,from,until\n" + traced + ",resident,active,,,\n"
	if err := os.WriteFile(roster, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	with := []string{"trace", "--dir", dir, "--as", "admin1", "--identity", ids[0], "--identity"}
	for i, c := range []struct {
		typed string
		args  []string
		rows  int
	}{
		{"correct horse\n" + traced + "\n", []string{ids[1]}, 2},
		{"correct horse\n", []string{ids[1], pseudonym}, 1},
		{"correct horse\n", []string{ids[1], "--roster", roster, pseudonym}, 2},
	} {
		wait := agreeSoon(t, dir, int64(i+1))
		out, code := typed(t, c.typed, append(with, c.args...)...)
		wait()
		if code != 0 || strings.Count(out, "pass ") != c.rows || strings.Contains(out, traced) {
			t.Errorf("%v: %d\n%s", c.args, code, out)
		}
	}
	for name, c := range map[string]struct {
		typed, want string
		args        []string
	}{
		"a wrong password": {"guess guess\n", "is wrong", []string{ids[1], pseudonym}},
		"one person twice": {"correct horse\n", "two of the people", []string{ids[0], pseudonym}},
		"a number as name": {"", "this is no pseudonym", []string{ids[1], traced}},
	} {
		out, code := typed(t, c.typed, append(with, c.args...)...)
		if code == 0 || !strings.Contains(out, c.want) || strings.Contains(out, "VERDICT") {
			t.Errorf("%s: %d %s", name, code, out)
		}
	}
	text, _ = run(t, "audit", "export", "--dir", dir)
	if strings.Contains(text, traced) || !strings.Contains(text, "trace,pseudonym "+pseudonym) ||
		!strings.Contains(text, "asked by admin1, agreed by auditor1") {
		t.Errorf("the audit says:\n%s", text)
	}
}
