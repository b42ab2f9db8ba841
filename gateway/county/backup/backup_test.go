package backup

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/lockfile"
	"gatehouse/gateway/sealed"
)

func TestABackupHoldsWhatTheCountyNeedsAndNothingElse(t *testing.T) {
	k := newKit(t)
	last, m := k.make()
	if !last.Verified || last.Size == 0 || len(last.SHA256) != 64 || m.Authority {
		t.Errorf("last %+v", last)
	}
	done, err := k.restore().Do(t.Context())
	must(t, err)
	want := []string{"county/collector.key", "county/desk.db", "county/gatehouse.db", "county/reports.db",
		"etc/collect.yaml", "etc/elsewhere" + k.path("ssl", "desk.key"), "etc/enrol/default/agent.yaml",
		"etc/sites.yaml"}
	files := tree(t, k.path("new"))
	if got := names(files); !slices.Equal(got, want) {
		t.Errorf("restored %q\nwant %q", got, want)
	}
	if files["county/collector.key"] != "key of the collector\n" {
		t.Errorf("the key is %q", files["county/collector.key"])
	}
	key := k.path("ssl", "desk.key")
	if at := done.Elsewhere[key]; at != k.path("new", "etc", "elsewhere")+key {
		t.Errorf("elsewhere %q", done.Elsewhere)
	}
	for _, name := range want {
		if info, err := os.Stat(k.path("new", name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	kept, ok, err := ReadLast(k.path("county"))
	if !ok || err != nil || kept != last {
		t.Errorf("noted %+v, %v, %v", kept, ok, err)
	}
	b, err := os.ReadFile(k.path("county.age"))
	must(t, err)
	if !strings.HasPrefix(string(b), "age-encryption.org/v1") || strings.Contains(string(b), "qinghe") {
		t.Error("it is not encrypted")
	}
}

func TestTheAuthorityIsInABackupThatAsksForIt(t *testing.T) {
	k := newKit(t)
	k.plan.Authority = true
	k.make()
	_, err := k.restore().Do(t.Context())
	must(t, err)
	if got := tree(t, k.path("new", "ca")); got["ca.key"] != "key of the authority\n" || len(got) != 1 {
		t.Errorf("restored %q", got)
	}
	must(t, os.Remove(k.path("county-ca", "ca.key")))
	if _, _, err := Make(t.Context(), k.plan); err == nil || !strings.Contains(err.Error(), "no ca.key") {
		t.Errorf("without a key: %v", err)
	}
}

// The desk follows the store: in a backup it is never ahead of it, whatever is committed
// meanwhile.
func TestTheFilesOfABackupFitTogether(t *testing.T) {
	k := newKit(t)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	all.Go(func() {
		for ctx.Err() == nil {
			if err := k.commit(ctx); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	before := 0
	for round := range 8 {
		k.make()
		r := k.restore()
		r.Dir, r.ConfigDir = k.path("new", string(rune('a'+round))), k.path("new", "etc"+string(rune('a'+round)))
		_, err := r.Do(t.Context())
		must(t, err)
		stored := number(t, filepath.Join(r.Dir, "gatehouse.db"), "SELECT count(*) FROM records")
		last := number(t, filepath.Join(r.Dir, "gatehouse.db"), "SELECT coalesce(max(seq), 0) FROM records")
		followed := number(t, filepath.Join(r.Dir, "desk.db"), "SELECT through FROM progress")
		if stored != last || followed > stored || stored < before {
			t.Errorf("%d records up to %d, the desk has followed %d; before %d", stored, last, followed, before)
		}
		before = stored
	}
	if before == 0 {
		t.Error("nothing was committed meanwhile")
	}
}

func TestTwoBackupsAtOnceAreRefused(t *testing.T) {
	k := newKit(t)
	held, err := lockfile.Take(k.path("county", lockFile))
	must(t, err)
	if _, _, err := Make(t.Context(), k.plan); !errors.Is(err, ErrRunning) {
		t.Errorf("error is %v", err)
	}
	must(t, held.Close())
	k.make()
}

func TestWhatAKilledBackupLeftIsRemoved(t *testing.T) {
	k := newKit(t)
	must(t, os.Mkdir(k.path("out"), 0o700))
	k.plan.Output = k.path("out")
	write(t, k.path("out", ".gatehouse-qinghe-20200101T030000Z.age.part"), "half of one")
	write(t, k.path("out", ".gatehouse-other-20200101T030000Z.age.part"), "another county's")
	write(t, k.path("county", scratchDir, "gatehouse.db"), "half of one")
	k.make()
	if got := names(tree(t, k.path("out"))); !slices.Equal(got, []string{".gatehouse-other-20200101T030000Z.age.part",
		"gatehouse-qinghe-20200214T030000Z.age"}) {
		t.Errorf("the folder holds %q", got)
	}
	if _, err := os.Stat(k.path("county", scratchDir)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("copies that are not encrypted are left: %v", err)
	}
}

func TestOnlyTheNewestAreKept(t *testing.T) {
	k := newKit(t)
	must(t, os.Mkdir(k.path("out"), 0o700))
	k.plan.Output, k.plan.Keep = k.path("out"), 2
	others := []string{"gatehouse-qinghe-east-20190101T030000Z.age", "gatehouse-qinghe-my-own.age"}
	own := []string{"gatehouse-qinghe-20200101T030000Z.age", "gatehouse-qinghe-20200102T030000Z.age"}
	for _, name := range slices.Concat(others, own) {
		write(t, k.path("out", name), "a backup")
	}
	k.make()
	want := slices.Concat(own[1:], []string{"gatehouse-qinghe-20200214T030000Z.age"}, others)
	if got := names(tree(t, k.path("out"))); !slices.Equal(got, want) {
		t.Errorf("kept %q", got)
	}
}

// A backup that fails leaves those of before, and nothing else.
func TestAFullDiskEndsABackup(t *testing.T) {
	k := newKit(t)
	for range 100 {
		must(t, k.commit(t.Context()))
	}
	must(t, os.Mkdir(k.path("out"), 0o700))
	must(t, unix.Mount("tmpfs", k.path("out"), "tmpfs", 0, "size=64k"))
	defer func() { must(t, unix.Unmount(k.path("out"), 0)) }()
	write(t, k.path("out", "older"), "a backup")
	k.plan.Output = k.path("out")
	_, _, err := Make(t.Context(), k.plan)
	if !errors.Is(err, db.ErrFull) || !strings.Contains(err.Error(), "needs room") {
		t.Errorf("error is %v", err)
	}
	for what, scratch := range map[string]string{
		"the backup": k.path("scratch"), "the copies": k.path("out", "scratch"),
	} {
		must(t, os.MkdirAll(scratch, 0o700))
		p := k.plan
		p.Paths.County = k.path("county")
		if _, _, err := p.make(t.Context(), scratch, k.path("out", "new.age")); !errors.Is(err, db.ErrFull) {
			t.Errorf("%s: error is %v", what, err)
		}
		must(t, os.RemoveAll(scratch))
	}
	if got := names(tree(t, k.path("out"))); !slices.Equal(got, []string{"older"}) {
		t.Errorf("the folder holds %q", got)
	}
	if _, ok, err := ReadLast(k.path("county")); ok || err != nil {
		t.Errorf("it counts as made: %v, %v", ok, err)
	}
}

func TestABackupThatIsEndedLeavesNothing(t *testing.T) {
	k := newKit(t)
	ctx, cancel := context.WithCancel(t.Context())
	k.plan.Tell = func(step string, _, _ int64) {
		if step == "encrypt" {
			cancel()
		}
	}
	if _, _, err := Make(ctx, k.plan); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	if left, err := filepath.Glob(k.path("*.age*")); len(left) > 0 || err != nil {
		t.Errorf("left %q, %v", left, err)
	}
	if left, err := filepath.Glob(k.path(".*")); len(left) > 0 || err != nil {
		t.Errorf("left %q, %v", left, err)
	}
}

func TestAStoreThatIsNotThereOrDamagedIsNoBackup(t *testing.T) {
	k := newKit(t)
	k.plan.Paths.County = k.path("etc")
	if _, _, err := Make(t.Context(), k.plan); err == nil || !strings.Contains(err.Error(), "collector's folder") {
		t.Errorf("error is %v", err)
	}
	k = newKit(t)
	for range 100 {
		must(t, k.commit(t.Context()))
	}
	must(t, k.store.Close())
	f, err := os.OpenFile(k.path("county", "gatehouse.db"), os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt(make([]byte, 4096), 5*8192)
	must(t, errors.Join(err, f.Close()))
	if _, _, err := Make(t.Context(), k.plan); err == nil || !strings.Contains(err.Error(), "gatehouse.db") {
		t.Errorf("error is %v", err)
	}
}

func TestOnlyARecipientOpensIt(t *testing.T) {
	k := newKit(t)
	k.make()
	other, _, err := sealed.NewKey()
	must(t, err)
	r := k.restore()
	r.Secrets = []string{other}
	if _, err := r.Do(t.Context()); !errors.Is(err, sealed.ErrNotFor) {
		t.Errorf("error is %v", err)
	}
	if m, err := List(r.File, []string{other, k.secret}); err != nil || m.County != "qinghe" {
		t.Errorf("%+v, %v", m, err)
	}
}

// What lies in the folder that --scratch names stays there.
func TestAFolderForCopiesKeepsWhatItHolds(t *testing.T) {
	k := newKit(t)
	k.plan.Scratch = k.path("home")
	write(t, k.path("home", ".backup", "photo.jpg"), "of somebody")
	k.make()
	if got := names(tree(t, k.path("home"))); !slices.Equal(got, []string{".backup/photo.jpg"}) {
		t.Errorf("there is %q", got)
	}
}
