package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/edge/enrol"
	"gatehouse/gateway/edge/upgrade"
)

// upgradeUnits do what the county asks for, and go on with what was cut off.
var upgradeUnits = []string{"gatehouse-upgrade.service", "gatehouse-upgrade.path"}

// takeFlags are the flags of upgrade by which root takes the county's key of packages.
type takeFlags struct {
	is, start        bool
	dir, fingerprint string
}

func (f *takeFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.is, "take-key", false,
		"write --config and the county's key of packages beside it, from what the county has handed over to this gate")
	c.Flags().StringVar(&f.dir, "dir", gateFolder, "with --take-key: the gate's folder")
	c.Flags().StringVar(&f.fingerprint, "fingerprint", "",
		"with --take-key: the fingerprint of the key, as the desk's page Versions has it; without it the "+
			"fingerprint is said and nothing is written")
	c.Flags().BoolVar(&f.start, "start", false, "with --take-key: enable and start the service of upgrades afterwards")
}

// check returns a usage error for flags that say nothing without --take-key.
func (f *takeFlags) check() error {
	if !f.is && (f.start || f.fingerprint != "") {
		return usageError{errors.New("--start and --fingerprint go with --take-key")}
	}
	return nil
}

// run takes the key into a configuration. authority is what is known of the county's; nil:
// nothing, and a person compares the fingerprint.
func (f *takeFlags) run(c *cobra.Command, config string, authority []byte) error {
	p, ca, err := enrol.Handed(f.dir)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("the county has handed over no key of packages to this gate (%w): has it packages "+
			"(gatehouse packages add)? A gate that was enrolled before gets the key within the hour", err)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Context(), time.Minute)
	defer cancel()
	url, err := upgrade.Choose(ctx, p)
	if err != nil {
		return err
	}
	fingerprint, err := upgrade.TakeKey(config, p, ca, upgrade.Trust{Authority: authority, Fingerprint: f.fingerprint},
		url)
	if fingerprint != "" {
		fmt.Fprintf(c.OutOrStdout(), "packages of %s from %s, key %s\n", p.County, url, fingerprint)
	}
	if err != nil {
		return err
	}
	if !f.start {
		_, err = fmt.Fprintf(c.OutOrStdout(), "so that the desk can have this computer upgraded: "+
			"sudo systemctl enable --now %s %s\n", upgradeUnits[0], upgradeUnits[1])
		return err
	}
	for _, unit := range upgradeUnits {
		if err := startUnit(c, unit, false); err != nil {
			return err
		}
	}
	return nil
}

// after takes the key after an enrolment, which has succeeded whatever becomes of that.
func (f *takeFlags) after(c *cobra.Command, t upgrade.Trust) error {
	if _, _, err := enrol.Handed(f.dir); errors.Is(err, os.ErrNotExist) {
		return nil // the county offers no packages
	}
	if t.Authority == nil { // the code was read by an earlier call: nothing vouches for what lies in the folder
		_, err := fmt.Fprintln(c.OutOrStdout(), "so that the desk can have this computer upgraded: "+
			"sudo gatehouse upgrade --take-key")
		return err
	}
	if err := f.run(c, upgrade.DefaultConfig, t.Authority); err != nil {
		fmt.Fprintf(c.ErrOrStderr(), "the gate is ready, and can't be upgraded from the desk yet: %s\n", err)
	}
	return nil
}
