package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/openpgp"
	"gatehouse/gateway/repository"
)

func packagesCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "packages",
		Args:  cobra.NoArgs, // an unknown subcommand is an error
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
		Short: "Keep the packages from which the county's gates are upgraded",
		Long: `packages works on the folder that packages: of the collector's file names. The desk
serves it under /packages, to gates (gatehouse upgrade) and to apt; the collector may
run meanwhile. The index is signed by the county's key of packages, which the first
add makes in ca_dir; gates take nothing that another key has signed.`,
	}
	c.PersistentFlags().StringVarP(&file, "config", "c", defaultCollect, "the collector's configuration")
	c.AddCommand(packagesAdd(&file), packagesList(&file), packagesRemove(&file), packagesKeyCommand(&file))
	return c
}

// packageCounty is a county's folder of packages, with the key that signs.
type packageCounty struct {
	cfg    centre.Config
	folder repository.Folder
	signer repository.Signer
}

// loadPackages reads what a command needs. The key is made only where make is set.
func loadPackages(file string, make bool) (p packageCounty, err error) {
	if p.cfg, err = loadCollector(file); err != nil {
		return p, err
	}
	p.cfg.Beside(file)
	if p.folder, err = p.cfg.PackageFolder(); err != nil {
		return p, err
	}
	now := time.Now()
	key, err := p.cfg.PackagesKey(now, make)
	p.signer = repository.Signer{County: p.cfg.County, Key: key, Now: now}
	return p, err
}

// packagesAsService runs the command as the user of the services when root starts it: the
// collector could not read what root has made, and a folder of another account is not root's to
// write to.
func packagesAsService(c *cobra.Command, file string, args ...string) (done bool, err error) {
	if file, err = filepath.Abs(file); err != nil {
		return true, fmt.Errorf("find the configuration: %w", err)
	}
	return asService(c, []string{file}, append([]string{"packages", c.Name(), "--config", file}, args...))
}

func packagesAdd(file *string) *cobra.Command {
	return &cobra.Command{
		Use:   "add FILE.deb...",
		Short: "Check packages, and put them where gates are upgraded from",
		Long: `add checks each package: it must be one of gatehouse's, whole, with a version. What gates
have must not change under the same version: another content is refused.`,
		Example: "  gatehouse packages add gatehouse_1.4.0_arm64.deb gatehouse-kiosk_1.4.0_all.deb",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			for i := range args {
				var err error
				if args[i], err = filepath.Abs(args[i]); err != nil {
					return fmt.Errorf("find %s: %w", args[i], err)
				}
			}
			if done, err := packagesAsService(c, *file, args...); done {
				return err
			}
			p, err := loadPackages(*file, true)
			if err != nil {
				return err
			}
			var names []string
			for _, path := range args {
				names = append(names, filepath.Base(path))
			}
			act := audit.Act{Action: audit.AddPackages, Object: "packages", Detail: strings.Join(names, " ")}
			if err := audited(c.Context(), p.cfg.Dir, act); err != nil {
				return err
			}
			added, err := p.folder.Add(p.signer, args)
			if errors.Is(err, fs.ErrPermission) {
				err = fmt.Errorf("%w: uid %d, which keeps the packages, must be able to read it: copy it to /tmp", err,
					os.Geteuid())
			}
			if err != nil {
				return failed(c.Context(), p.cfg.Dir, act, err)
			}
			for _, x := range added {
				if _, err := fmt.Fprintf(c.OutOrStdout(), "added %s %s for %s\n", x.Name, x.Version,
					x.Architecture); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func packagesList(file *string) *cobra.Command {
	var out output
	c := &cobra.Command{
		Use:   "list",
		Short: "List the packages, the newest version first",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if done, err := packagesAsService(c, *file, "--output", out.String()); done {
				return err
			}
			p, err := loadPackages(*file, false)
			if err != nil {
				return err
			}
			ring, err := ringOf(p.signer.Key)
			if err != nil {
				return err
			}
			all, err := p.folder.Index(ring)
			if err != nil {
				return err
			}
			return list(c, &out, all, table[repository.Package]{"",
				[]string{"PACKAGE", "VERSION", "ARCHITECTURE", "BYTES", "SHA256"}, func(x repository.Package) []string {
					return []string{x.Name, x.Version, x.Architecture, strconv.FormatInt(x.Size, 10), x.SHA256}
				}})
		},
	}
	out.add(c)
	return c
}

// ringOf returns the ring of one key.
func ringOf(key openpgp.Key) (openpgp.Ring, error) {
	public, err := key.Public()
	if err != nil {
		return openpgp.Ring{}, err
	}
	return openpgp.ParseRing(public)
}

func packagesRemove(file *string) *cobra.Command {
	return &cobra.Command{
		Use:   "remove VERSION",
		Short: "Take all packages of a version away",
		Long: `remove takes a version out of the index and the folder. Gates that have it keep it; those
that are being upgraded to it fail, and stay at what they have.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if done, err := packagesAsService(c, *file, args...); done {
				return err
			}
			p, err := loadPackages(*file, false)
			if err != nil {
				return err
			}
			act := audit.Act{Action: audit.RemovePackages, Object: "packages", Detail: "version " + args[0]}
			if err := audited(c.Context(), p.cfg.Dir, act); err != nil {
				return err
			}
			removed, err := p.folder.Remove(p.signer, args[0])
			if err != nil {
				return failed(c.Context(), p.cfg.Dir, act, err)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "removed %d packages of version %s\n", len(removed), args[0])
			return err
		},
	}
}

func packagesKeyCommand(file *string) *cobra.Command {
	return &cobra.Command{
		Use:   "key",
		Short: "Print the public key by which gates and apt verify the packages",
		Long: `key prints the public part of the county's key of packages; its fingerprint goes to
standard error. At a gate, root keeps it in /etc/gatehouse/packages.asc: carry it there by
hand or over a line that nobody else can change, and compare the fingerprint.`,
		Example: "  gatehouse packages key > packages.asc",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if done, err := packagesAsService(c, *file); done {
				return err
			}
			p, err := loadPackages(*file, true)
			if err != nil {
				return err
			}
			public, err := p.signer.Key.Public()
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintln(c.ErrOrStderr(), "fingerprint", p.signer.Key.Fingerprint()); err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(public)
			return err
		},
	}
}
