package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/edge/upgrade"
)

// aliveFile returns where an agent says how it does: in the folder that systemd has made for the
// service. Started otherwise it says it nowhere.
func aliveFile() string {
	run, _, _ := strings.Cut(os.Getenv("RUNTIME_DIRECTORY"), ":")
	if run == "" {
		return ""
	}
	return filepath.Join(run, filepath.Base(upgrade.AliveFile))
}

// upgradeFlags are the flags of upgrade.
type upgradeFlags struct {
	file                                    string
	check, resume, service, downgrade, away bool
	take                                    takeFlags
	out                                     output
	logs                                    logFlags
}

func (f *upgradeFlags) add(c *cobra.Command) {
	c.Flags().StringVarP(&f.file, "config", "c", upgrade.DefaultConfig, "from where, and by whose key")
	f.out.add(c)
	c.Flags().BoolVar(&f.check, "check", false, "only say what would be done; 1: it can't be")
	c.Flags().BoolVar(&f.resume, "resume", false, "go on with an upgrade that was cut off, and end if there is none")
	c.Flags().BoolVar(&f.service, "service", false,
		"as --resume, then do what upgrade/request.json in the agent's folder asks for (gatehouse-upgrade.service)")
	c.Flags().BoolVar(&f.downgrade, "allow-downgrade", false, "an earlier version is right, too")
	c.Flags().BoolVar(&f.away, "county-away", false,
		"begin although the county does not answer: only that the new version records is judged")
	f.take.add(c)
	c.MarkFlagsMutuallyExclusive("check", "resume", "service", "take-key")
	f.logs.add(c)
}

func upgradeCommand() *cobra.Command {
	var f upgradeFlags
	c := &cobra.Command{
		Use:   "upgrade [VERSION]",
		Short: "Take this gate to another version of the packages, and back if that does not deliver",
		Long: `upgrade takes the newest version, or VERSION, from the county's packages. Root runs it, at a
gate. It verifies the county's signature, fetches the packages of the new and of the
present version, installs the new one, and waits two minutes for it to come up and to
deliver. If it does not, the present version is installed again. A power cut at any time
does no harm: gatehouse-upgrade.service goes on at the next start.

The file that --config names says url: (of the county's packages) and key: (the county's
public key of packages); only root may be able to change it, and packages.asc beside it.

With --take-key both are written: from what the county has handed over to this gate when
it was enrolled, or with a renewal of its certificate. Without --fingerprint it says the
fingerprint of the key and writes nothing: compare it with the one on the desk's page
Versions, and type it. With --start the service is started that does what the desk asks
for. gatehouse enrol does both when root runs it: the code vouches for the key.`,
		Example: "  gatehouse upgrade --take-key --start --fingerprint 3A51...\n" +
			"  gatehouse upgrade --check\n  gatehouse upgrade 1.4.0",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, strings.Join(args, "")) },
	}
	f.add(c)
	return c
}

func (f *upgradeFlags) run(c *cobra.Command, version string) error {
	if version != "" && (f.resume || f.service || f.take.is) {
		return usageError{errors.New("--resume, --service and --take-key take no version")}
	}
	if err := f.take.check(); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("only root can install packages: sudo gatehouse upgrade")
	}
	if f.take.is {
		return f.take.run(c, f.file, nil)
	}
	log, end, err := f.logs.logger(c)
	if err != nil {
		return err
	}
	defer end()
	u, err := f.upgrader(log)
	if err != nil && f.service {
		return usageError{errors.Join(err, upgrade.Refuse(upgrade.Dir, upgrade.AgentDir, err, time.Now()))}
	}
	if err != nil {
		return err
	}
	ctx := c.Context()
	wanted := upgrade.Wanted{Version: version, Downgrade: f.downgrade, Away: f.away}
	switch {
	case f.check:
		s, err := u.Plan(ctx, wanted)
		if errors.Is(err, upgrade.ErrNothing) {
			return f.nothing(c)
		}
		if err != nil {
			return err
		}
		return f.print(c, s, fmt.Sprintf("would be upgraded from %s to %s", s.From, s.To))
	case f.resume, f.service:
		return f.goOn(c, u, log)
	}
	s, err := u.Do(ctx, wanted)
	if errors.Is(err, upgrade.ErrNothing) {
		return f.nothing(c)
	}
	if err != nil {
		return err
	}
	return f.ended(c, s)
}

// nothing says that the gate has what is wanted.
func (f *upgradeFlags) nothing(c *cobra.Command) error {
	return f.print(c, upgrade.State{Phase: upgrade.Done, Why: upgrade.ErrNothing.Error()}, upgrade.ErrNothing.Error())
}

// upgrader returns what does the upgrade.
func (f *upgradeFlags) upgrader(log *slog.Logger) (*upgrade.Upgrader, error) {
	source, err := upgrade.Load(f.file)
	if _, none := os.Stat(f.file); errors.Is(none, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s, which says from where this gate is upgraded: write a line "+
			"url: https://desk.county.example/packages into it, and put the county's packages.asc beside it "+
			"(deploy/UPGRADE.md)", f.file)
	}
	if err != nil {
		return nil, err
	}
	// The program that runs, also when it is a copy that has been removed meanwhile.
	return upgrade.New(upgrade.Options{Dir: upgrade.Dir, AliveFile: upgrade.AliveFile, Program: "/proc/self/exe",
		Source: source, System: upgrade.Debian{}, Now: time.Now, Wait: wait, Progress: func(int64) {}, Log: log}), nil
}

// wait waits for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// goOn finishes what was cut off, and as a service does what the agent asks for.
func (f *upgradeFlags) goOn(c *cobra.Command, u *upgrade.Upgrader, log *slog.Logger) error {
	resume := u.Resume
	if f.service { // systemd would start it again and again for a request that is not taken
		resume = u.AwaitResume
	}
	s, ok, err := resume(c.Context())
	if err != nil {
		return err
	}
	if ok {
		err = f.ended(c, s)
	}
	if !f.service {
		return err
	}
	if err != nil { // it has ended, and is not to be tried again
		log.Error("the upgrade that was cut off", "err", err)
	}
	asked, asks, err := upgrade.Take(upgrade.AgentDir)
	if err != nil || !asks {
		return err
	}
	log.Info("the county asks for an upgrade", "version", asked.Version, "id", asked.ID)
	s, err = u.Do(c.Context(), upgrade.Wanted{ID: asked.ID, Version: asked.Version})
	if err == nil {
		err = f.ended(c, s)
	}
	if errors.Is(err, upgrade.ErrNothing) {
		return nil
	}
	// How it has ended is kept for the county. The service fails only when it is not, and is started again then.
	if kept, ok, _ := upgrade.Read(upgrade.Dir); err != nil && ok && kept.ID == asked.ID && kept.Phase.Ended() {
		log.Error("the upgrade that the county asks for", "err", err)
		return nil
	}
	return err
}

// ended says how an upgrade has ended; only the new version is no error.
func (f *upgradeFlags) ended(c *cobra.Command, s upgrade.State) error {
	text := map[upgrade.Phase]string{
		upgrade.Done:      fmt.Sprintf("upgraded from %s to %s", s.From, s.To),
		upgrade.Unchanged: fmt.Sprintf("not upgraded to %s, nothing was changed", s.To),
		upgrade.Back:      fmt.Sprintf("version %s was installed and failed; %s runs again", s.To, s.From),
		upgrade.Stuck: fmt.Sprintf("neither %s nor %s could be installed: look with dpkg --audit; "+
			"the packages lie in %s", s.To, s.From, upgrade.Dir),
	}[s.Phase]
	if s.Why != "" {
		text += ": " + s.Why
	}
	if s.Phase == upgrade.Done {
		return f.print(c, s, text)
	}
	if f.out.is(asJSON) {
		if err := f.print(c, s, text); err != nil {
			return err
		}
	}
	return errors.New(text)
}

func (f *upgradeFlags) print(c *cobra.Command, s upgrade.State, text string) error {
	if f.out.is(asJSON) {
		return document(c.OutOrStdout(), s)
	}
	_, err := fmt.Fprintln(c.OutOrStdout(), text)
	return err
}
