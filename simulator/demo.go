package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/config"
	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/pages"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/wire"
	"gatehouse/simulator/clerk"
	"gatehouse/simulator/county"
	"gatehouse/simulator/fleet"
	"gatehouse/simulator/world"
)

func demoCommand() *cobra.Command {
	var d demo
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run the whole county on simulated hardware and show live passages",
		Long: `demo starts the collector with its broker and store, and the county's gates on
simulated hardware, and prints passages and alarms as they happen. Ctrl-C ends
it; its folder stays until the next demo, which begins with an empty one.

INFLUX_URL=http://127.0.0.1:8086 stores telemetry in InfluxDB, with
INFLUX_BUCKET (default gatehouse/autogen), INFLUX_ORG and INFLUX_TOKEN
(default user:password, for InfluxDB 1.8).`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return d.run(c) },
	}
	d.flags.add(c)
	c.Flags().StringVar(&d.gatehouse, "gatehouse", gatehouseProgram(os.Args[0]), "the gatehouse program")
	c.Flags().StringVar(&d.listen, "listen", "127.0.0.1:1883", "address of the demo's broker")
	c.Flags().StringVar(&d.desk, "desk", "127.0.0.1:8080", "address of the county's desk")
	c.Flags().StringVar(&d.kiosk, "kiosk", "127.0.0.1:8090", "address of one gate's screen")
	c.Flags().StringVar(&d.stage, "stage", "127.0.0.1:8091", "address of the screen of the gate where scenes play")
	c.Flags().DurationVar(&d.every, "scenes-every", 30*time.Second,
		"pause between two scenes; 0: none play by themselves")
	return c
}

// demo are the demo's flags.
type demo struct {
	flags             gatesFlags
	gatehouse, listen string
	desk, kiosk       string
	stage             string
	every             time.Duration
}

func (d *demo) run(c *cobra.Command) error {
	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()
	dir := d.flags.dir
	d.flags.standalone = county.Standalone{Program: d.gatehouse, Kiosk: d.kiosk}
	d.flags.stage = county.Stage{Kiosk: d.stage, Every: d.every, Pace: 3 * time.Second, Out: c.OutOrStdout(),
		Desk: clerk.New("http://"+d.desk, "演示值班员", clerk.ByCommand(d.gatehouse, filepath.Join(dir, "county")))}
	// Before the folder is removed: another demo may use it and these addresses.
	for flag, address := range map[string]string{"listen": d.listen, "desk": d.desk, "kiosk": d.kiosk,
		"stage": d.stage} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("end the demo or program that uses the address, or set another one with --%s: %w",
				flag, err)
		}
		l.Close()
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove the demo's folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create the demo's folder: %w", err)
	}
	store, err := d.configure(ctx)
	if err != nil {
		return err
	}
	collector, err := d.start(ctx)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- collector.Wait(); close(ended) }()
	defer func() {
		_ = collector.Process.Signal(syscall.SIGTERM) // it may have ended already
		<-ended                                       //nolint:errcheck // ended by the line above
	}()
	data := filepath.Join(dir, "county")
	if err := awaitReady(ctx, d.listen, filepath.Join(data, "collector.pub"), ended); err != nil {
		return fmt.Errorf("%w\nsee %s", err, filepath.Join(dir, "collect.log"))
	}
	link, err := d.announce(c, store)
	if err != nil {
		return err
	}
	return d.simulate(ctx, c, data, link)
}

// simulate runs the gates, the machines and watch until ctx is done or watch ends.
func (d *demo) simulate(ctx context.Context, c *cobra.Command, data, link string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f, err := os.Create(filepath.Join(d.flags.dir, "gates.log"))
	if err != nil {
		return err
	}
	defer f.Close()
	log := slog.New(slog.NewTextHandler(f, &slog.HandlerOptions{Level: slog.LevelInfo}))
	watched := make(chan int, 1)
	go func() {
		defer cancel() // such as when nobody reads any more: simulator demo | head
		watched <- cli.Run(ctx, []string{"watch", "--broker", "tcp://" + d.listen}, c.InOrStdin(), c.OutOrStdout(),
			c.ErrOrStderr())
	}()
	reminded := make(chan struct{})
	go func() { defer close(reminded); d.remind(ctx, c.OutOrStdout(), link) }()
	machines := make(chan error, 1)
	go func() {
		err := d.machines(ctx, c.OutOrStdout(), log)
		if err != nil {
			cancel()
		}
		machines <- err
	}()
	err = d.flags.run(ctx, "tcp://"+d.listen, filepath.Join(data, "collector.pub"), filepath.Join(data, "site.key"),
		log)
	cancel()
	<-watched
	<-reminded
	err = errors.Join(err, <-machines)
	fmt.Fprintln(c.OutOrStdout(), "\nthe demo has ended; its folder is", d.flags.dir)
	return err
}

// configure writes the collector's files and returns a description of its store.
func (d *demo) configure(ctx context.Context) (store string, err error) {
	w, _, err := d.flags.world()
	if err != nil {
		return "", err
	}
	cfg := centre.Config{
		County:   world.CountyID,
		Dir:      "county",
		Sites:    "sites.yaml",
		Broker:   centre.Broker{Embedded: &broker.Config{Listen: d.listen}},
		Desk:     &pages.Config{Listen: d.desk},
		Machines: fleet.Reporters(fleet.Machines(&w.Sites)),
	}
	store = "SQLite: " + filepath.Join(d.flags.dir, "county", centre.StoreFile)
	if server := os.Getenv("INFLUX_URL"); server != "" {
		cfg.Influx = &centre.Influx{
			URL:       server,
			Org:       os.Getenv("INFLUX_ORG"),
			Bucket:    env("INFLUX_BUCKET", "gatehouse/autogen"),
			TokenFile: "influx.token",
		}
		token := env("INFLUX_TOKEN", "user:password")
		if err := os.WriteFile(filepath.Join(d.flags.dir, "influx.token"), []byte(token+"\n"), 0o600); err != nil {
			return "", err
		}
		if os.Getenv("INFLUX_ORG") == "" {
			if err := createDatabase(ctx, server, cfg.Influx.Bucket, token); err != nil {
				return "", err
			}
		}
		store = "InfluxDB: " + server + ", " + cfg.Influx.Bucket
	}
	if cfg.Enrol, err = d.enrolment(); err != nil {
		return "", err
	}
	if err := cfg.Check(); err != nil {
		return "", err
	}
	if err := writeYAML(filepath.Join(d.flags.dir, "collect.yaml"), cfg); err != nil {
		return "", err
	}
	return store, writeYAML(filepath.Join(d.flags.dir, "sites.yaml"), w.Sites)
}

// createDatabase creates the bucket's database on an InfluxDB 1.8 server.
func createDatabase(ctx context.Context, server, bucket, token string) error {
	database, _, _ := strings.Cut(bucket, "/")
	q := url.Values{"q": {fmt.Sprintf("CREATE DATABASE %q", database)}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/query?"+q.Encode(), nil)
	if err != nil {
		return fmt.Errorf("INFLUX_URL: %w", err)
	}
	user, password, _ := strings.Cut(token, ":")
	r.SetBasicAuth(user, password)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("create the database %s in InfluxDB: %w", database, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("create the database %s in InfluxDB at %s: %s (INFLUX_TOKEN=user:password)",
			database, server, answer.Status)
	}
	return nil
}

func env(name, otherwise string) string { return cmp.Or(os.Getenv(name), otherwise) }

func writeYAML[T any](path string, v T) error {
	b, err := config.Write(v)
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

// start starts the collector as a process of its own, as in production.
func (d *demo) start(ctx context.Context) (*exec.Cmd, error) {
	log, err := os.Create(filepath.Join(d.flags.dir, "collect.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own descriptor
	cmd := exec.CommandContext(ctx, d.gatehouse, "collect", "--config", filepath.Join(d.flags.dir, "collect.yaml"))
	cmd.Stdout, cmd.Stderr = log, log
	// In a process group of its own Ctrl-C does not reach the collector: it is
	// stopped after the gates.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return nil }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the collector (run make build first): %w", err)
	}
	return cmd, nil
}

var errStart = errors.New("the collector did not start")

// awaitReady waits until the collector has created its keys and has published
// its status.
func awaitReady(ctx context.Context, listen, key string, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	up := make(chan struct{}, 1)
	client := mqtt.New(mqtt.Config{
		URL:           "tcp://" + listen,
		ClientID:      fmt.Sprintf("demo-%d", os.Getpid()),
		Log:           slog.New(slog.DiscardHandler),
		Subscriptions: []mqtt.Subscription{{Filter: wire.Topic(world.CountyID, wire.CollectorID, wire.LeafStatus)}},
		OnMessage: func(m mqtt.Message) {
			if st, err := wire.Decode[wire.CollectorStatus](m.Payload); err == nil && st.State == fact.Online {
				select {
				case up <- struct{}{}:
				default:
				}
			}
		},
	})
	done := make(chan struct{})
	go func() { defer close(done); _ = client.Run(ctx) }() // ends with ctx only
	defer func() { cancel(); <-done }()
	select {
	case <-up:
		_, err := os.Stat(key)
		return err
	case err := <-ended:
		return fmt.Errorf("%w: %w", errStart, err)
	case <-ctx.Done():
		return errStart
	}
}
