package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/brokers"
	"gatehouse/gateway/secret"
)

// brokerConfig are the flags of broker config.
type brokerConfig struct {
	file, out string
	listener  brokers.Listener
}

func brokerConfigCommand() *cobra.Command {
	var f brokerConfig
	c := &cobra.Command{
		Use:   "config mosquitto|emqx --cert FILE --key FILE",
		Short: "Write the configuration of Mosquitto or EMQX from the county's identities",
		Long: `config writes the files with which another broker lets in whom the county knows by a
certificate, each for its own topics only: the configuration, the permissions, the
authority's certificate, and for Mosquitto the list of revoked certificates. Write them
again, and reload the broker, when an identity is approved or revoked; deploy/BROKERS.md
says how. It reads the collector's folder and the authority's; the collector may run.`,
		Example: "  gatehouse broker config mosquitto --cert broker.pem --key broker.key \\\n" +
			"    --out /etc/mosquitto/gatehouse",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args[0]) },
	}
	c.Flags().StringVarP(&f.file, "config", "c", defaultCollect, "the collector's configuration")
	c.Flags().StringVar(&f.out, "out", ".", "folder to write to; the broker must be able to read it")
	c.Flags().StringVar(&f.listener.Cert, "cert", "", "the broker's own certificate, a PEM file")
	c.Flags().StringVar(&f.listener.Key, "key", "", "its key, a PEM file")
	c.Flags().IntVar(&f.listener.Port, "port", 8883, "for clients, over TLS")
	c.Flags().IntVar(&f.listener.Inside, "inside", 1883, "for the collector, on this computer")
	c.Flags().StringVar(&f.listener.TLSMin, "tls-min", "1.3", "1.2 for clients without TLS 1.3")
	_ = c.MarkFlagRequired("cert")
	_ = c.MarkFlagRequired("key")
	return c
}

func (f *brokerConfig) run(c *cobra.Command, broker string) error {
	if broker != "mosquitto" && broker != "emqx" {
		return usageError{fmt.Errorf("%q: name mosquitto or emqx", broker)}
	}
	if l := f.listener; l.TLSMin != "1.2" && l.TLSMin != "1.3" {
		return usageError{fmt.Errorf("--tls-min %q: write 1.2 or 1.3", l.TLSMin)}
	}
	cfg, err := loadCollector(f.file)
	if err != nil {
		return err
	}
	cfg.Beside(f.file)
	county, err := cfg.ForOtherBrokers(c.Context())
	if err != nil {
		return err
	}
	for _, path := range []*string{&f.out, &f.listener.Cert, &f.listener.Key} {
		if *path, err = filepath.Abs(*path); err != nil {
			return fmt.Errorf("find the folder: %w", err)
		}
	}
	f.listener.Dir = f.out
	password, err := f.password()
	if err != nil {
		return err
	}
	files := county.EMQX(f.listener, password)
	if broker == "mosquitto" {
		if files, err = county.Mosquitto(f.listener, password); err != nil {
			return err
		}
	}
	return f.write(c, files)
}

// password returns the collector's, which stays the same once it is made.
func (f *brokerConfig) password() (string, error) {
	b, err := secret.Read(filepath.Join(f.out, brokers.PasswordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return rand.Text(), nil
	}
	if err != nil {
		return "", fmt.Errorf("read the collector's password: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// write replaces the files, each at once.
func (f *brokerConfig) write(c *cobra.Command, files []brokers.File) error {
	if err := os.MkdirAll(f.out, 0o755); err != nil { //nolint:gosec // the broker, another account, reads it
		return fmt.Errorf("make the folder: %w", err)
	}
	for _, x := range files {
		mode := fs.FileMode(0o600)
		if x.Other {
			mode = 0o644
		}
		path := filepath.Join(f.out, x.Name)
		err := os.WriteFile(path+".new", x.Text, mode)
		if err == nil {
			err = os.Rename(path+".new", path)
		}
		if err != nil {
			return fmt.Errorf("write the broker's configuration: %w", err)
		}
		if _, err := fmt.Fprintln(c.OutOrStdout(), path); err != nil {
			return err
		}
	}
	return nil
}
