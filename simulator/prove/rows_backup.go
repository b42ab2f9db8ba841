package prove

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"gatehouse/gateway/county/backup"
	"gatehouse/gateway/sealed"
)

// backups are losses of the county's whole computer.
func backups() []Fault {
	return []Fault{{
		Row:  73,
		Name: "county-restored",
		What: "a backup is made while people pass; later the county's computer is destroyed, and the backup is " +
			"restored in another folder; a second backup is killed, a damaged one and a wrong key are tried first",
		Expect:       "gates send again what the backup lacks, and what came meanwhile",
		storeForgets: true,
		prepare: func(_ context.Context, r *rig) error {
			r.desk = true
			return nil
		},
		inject: restoreCounty,
	}}
}

// restoreCounty makes backups under load, destroys the county, and brings it back.
func restoreCounty(ctx context.Context, r *rig) error {
	secret, to, err := sealed.NewKey()
	if err != nil {
		return err
	}
	key, file := filepath.Join(r.Dir, "backup-key.txt"), filepath.Join(r.Dir, "county.age")
	if err := os.WriteFile(key, []byte(secret+"\n"), 0o600); err != nil {
		return err
	}
	config := filepath.Join(r.Dir, "collect.yaml")
	if err := r.killBackup(ctx, config, to); err != nil {
		return err
	}
	r.wait(ctx, 2*time.Second)
	began := time.Now()
	if _, err := r.gatehouse(ctx, "backup", "--config", config, "--file", file, "--recipient", to,
		"--with-authority"); err != nil {
		return err
	}
	took := time.Since(began)
	r.wait(ctx, 4*time.Second)
	r.collector.kill()
	lost, ok := r.positions(ctx)
	if !ok {
		return errors.New("the store can't be read before it is destroyed")
	}
	for _, path := range []string{r.countyDir(), r.countyDir() + "-ca", config, filepath.Join(r.Dir, "sites.yaml")} {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	if err := r.refuseDamaged(ctx, file, key); err != nil {
		return err
	}
	r.wait(ctx, 2*time.Second)
	other := filepath.Join(r.Dir, "county-2")
	if _, err := r.gatehouse(ctx, "restore", file, "--identity", key, "--dir", other, "--ca-dir",
		other+"-ca", "--config-dir", filepath.Dir(config)); err != nil {
		return err
	}
	r.elsewhere.Store(&other)
	if err := r.sayWhatIsLost(ctx, lost, file, secret, took); err != nil {
		return err
	}
	r.collector.Argv = append(r.collector.Argv, "--dir", other)
	if err := r.collector.start(); err != nil {
		return err
	}
	at, err := url.Parse(r.brokerURL)
	if err != nil {
		return err
	}
	return r.collector.waitFor(ctx, func() bool { return answers(ctx, at.Host) })
}

// gatehouse runs a command to its end.
func (r *rig) gatehouse(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, r.Gatehouse, args...).CombinedOutput() //nolint:gosec // the program proved
	if err != nil {
		return string(out), fmt.Errorf("gatehouse %s: %w: %s", args[0], err, out)
	}
	return string(out), nil
}

// killBackup kills a backup in its midst; it must leave nothing that looks like one.
func (r *rig) killBackup(ctx context.Context, config, to string) error {
	file := filepath.Join(r.Dir, "killed.age")
	p := r.program("backup", r.Gatehouse, "backup", "--config", config, "--file", file, "--recipient", to)
	if err := p.start(); err != nil {
		return err
	}
	scratch := filepath.Join(r.countyDir(), ".gatehouse-backup", "desk.db")
	if _, ok := r.poll(ctx, 20*time.Second, func() bool { return exists(scratch) || p.died() }); !ok {
		return errors.New("the backup that is to be killed does not begin")
	}
	p.kill()
	if exists(file) && p.printed() == "" { // it was too fast to be killed
		r.note("the backup ended before it was killed")
	}
	return nil
}

// refuseDamaged tries a backup that was cut off, and a key that does not open it.
func (r *rig) refuseDamaged(ctx context.Context, file, key string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	cut, other := filepath.Join(r.Dir, "cut.age"), filepath.Join(r.Dir, "other-key.txt")
	secret, _, err := sealed.NewKey()
	err = errors.Join(err, os.WriteFile(cut, b[:len(b)*2/3], 0o600), os.WriteFile(other, []byte(secret), 0o600))
	if err != nil {
		return err
	}
	places := []string{"--dir", r.countyDir(), "--ca-dir", r.countyDir() + "-ca", "--config-dir", r.Dir}
	for _, args := range [][]string{{"restore", cut, "--identity", key}, {"restore", file, "--identity", other}} {
		args = append(args, places...)
		if out, err := r.gatehouse(ctx, args...); err == nil {
			return fmt.Errorf("%q was restored: %s", args, out)
		}
	}
	if exists(r.countyDir()) || exists(filepath.Join(r.Dir, "collect.yaml")) {
		return errors.New("a backup that can't be restored has left something")
	}
	return nil
}

// sayWhatIsLost notes how many records were stored after the backup.
func (r *rig) sayWhatIsLost(
	ctx context.Context, lost map[string]uint64, file, secret string, took time.Duration,
) error {
	back, ok := r.positions(ctx)
	if !ok {
		return errors.New("the restored store can't be read")
	}
	again := uint64(0)
	for jid, through := range lost {
		if through > back[jid] {
			again += through - back[jid]
		}
	}
	if again == 0 {
		return errors.New("nothing was stored after the backup: the row shows nothing")
	}
	m, err := backup.List(file, []string{secret})
	if err != nil {
		return err
	}
	r.note("the backup of %d files took %.1f s; %d records were stored after it, and came again", len(m.Files),
		took.Seconds(), again)
	return nil
}
