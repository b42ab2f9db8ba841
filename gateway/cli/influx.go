package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/county/provision"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/retry"
	"gatehouse/gateway/secret"
)

func influxCommand() *cobra.Command {
	c := &cobra.Command{Use: "influx", Short: "Set an InfluxDB up for the county"}
	c.AddCommand(influxSetupCommand())
	return c
}

// influxSetup are the flags of influx setup.
type influxSetup struct {
	opts               provision.Options
	admin, password    string // files
	collector, grafana string
	wait               time.Duration
}

func influxSetupCommand() *cobra.Command {
	var f influxSetup
	c := &cobra.Command{
		Use:   "setup --admin-token FILE --admin-password FILE",
		Short: "Make bucket, retention, hourly figures and tokens in an InfluxDB 2",
		Long: `setup makes in an InfluxDB 2 what the county needs: the organization and the first user
(in a new one, which takes over the administrator's token from its file), the bucket with
its retention, a bucket NAME-hours with a task that fills it, and a token for the collector
(it may read and write the bucket) and one for Grafana (it may read both). A token that a
file holds and that counts stays. It may be run again.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return f.run(c) },
	}
	c.Flags().StringVar(&f.opts.URL, "url", "http://127.0.0.1:8086", "of the InfluxDB")
	c.Flags().StringVar(&f.opts.Org, "org", "county", "organization")
	c.Flags().StringVar(&f.opts.Bucket, "bucket", "gatehouse", "bucket for the county's records")
	c.Flags().DurationVar(&f.opts.Retention, "retention", 0, "for how long it keeps them, such as 8760h; 0: for ever")
	c.Flags().StringVar(&f.admin, "admin-token", "", "file with the administrator's token")
	c.Flags().StringVar(&f.password, "admin-password", "", "file with the password of the user admin of a new InfluxDB")
	c.Flags().StringVar(&f.collector, "collector-token", "", "file for the collector's token; mode 600")
	c.Flags().StringVar(&f.grafana, "grafana-token", "", "file for Grafana's token; mode 640")
	c.Flags().DurationVar(&f.wait, "wait", 2*time.Minute, "for how long to wait until the InfluxDB answers")
	_ = c.MarkFlagRequired("admin-token")
	_ = c.MarkFlagRequired("admin-password")
	return c
}

func (f *influxSetup) run(c *cobra.Command) error {
	if f.opts.Retention != 0 && f.opts.Retention < time.Hour {
		return usageError{fmt.Errorf("--retention %s: an InfluxDB keeps records for an hour at least; 0: for ever",
			f.opts.Retention)}
	}
	var err error
	if f.opts.Admin, err = secret.Line(f.admin); err != nil {
		return fmt.Errorf("read the administrator's token: %w", err)
	}
	if f.opts.Password, err = secret.Line(f.password); err != nil {
		return fmt.Errorf("read the administrator's password: %w", err)
	}
	i, err := f.connect(c.Context())
	if err != nil {
		return err
	}
	out := c.OutOrStdout()
	fmt.Fprintf(out, "bucket %s of %s, hourly figures in %s\n", f.opts.Bucket, f.opts.Org, f.opts.Hours())
	for _, t := range []struct {
		file, about string
		mode        fs.FileMode
	}{{f.collector, provision.Collector, 0o600}, {f.grafana, provision.Grafana, 0o640}} {
		if t.file == "" {
			continue
		}
		made, err := token(c.Context(), i, t.file, t.about, t.mode)
		if err != nil {
			return err
		}
		if made {
			fmt.Fprintf(out, "a new token in %s\n", t.file)
		}
	}
	return nil
}

// connect sets the InfluxDB up as soon as it answers.
func (f *influxSetup) connect(ctx context.Context) (*provision.Influx, error) {
	ctx, cancel := context.WithTimeout(ctx, f.wait)
	defer cancel()
	for {
		i, err := provision.SetUp(ctx, f.opts)
		if err == nil || !provision.Unreachable(err) || !retry.Sleep(ctx, time.Second) {
			return i, err
		}
	}
}

// token writes a new token to a file, unless the file holds one that counts.
func token(ctx context.Context, i *provision.Influx, file, about string, mode fs.FileMode) (made bool, err error) {
	has, err := i.HasToken(ctx, about)
	if err != nil {
		return false, err
	}
	if text, err := os.ReadFile(file); has && err == nil {
		if counts, err := i.Counts(ctx, strings.TrimSpace(string(text))); counts || err != nil {
			return false, err
		}
	}
	text, err := i.NewToken(ctx, about)
	if err == nil {
		err = writeToken(file, text, mode)
	}
	if err != nil {
		return false, fmt.Errorf("write the token: %w", err)
	}
	return true, nil
}

// writeToken writes a file anew, whole or not at all, and durable: the token of before is gone.
func writeToken(file, text string, mode fs.FileMode) error {
	fresh := file + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := identity.Create(fresh, text+"\n", mode); err != nil {
		return err
	}
	return errors.Join(os.Rename(fresh, file), identity.SyncFolder(filepath.Dir(file)))
}
