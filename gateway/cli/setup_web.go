package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/setup"
	"gatehouse/gateway/setup/page"
	"gatehouse/gateway/web"
)

// webFlags are the flags of set-up in a browser.
type webFlags struct {
	on      bool
	listen  string
	linkFor time.Duration
}

func (f *webFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.on, "web", false, "ask in a browser of this computer, by a link that counts once")
	c.Flags().StringVar(&f.listen, "listen", "127.0.0.1:8089", "with --web: address of the page, of this computer only")
	c.Flags().DurationVar(&f.linkFor, "link-for", 15*time.Minute,
		"with --web: for how long a link counts that nobody opens")
	c.MarkFlagsMutuallyExclusive("web", "answers")
	c.MarkFlagsMutuallyExclusive("web", "again")
}

// browserSetup is set-up in a browser, and the collector that this process then becomes.
type browserSetup struct {
	*setupFlags

	c       *cobra.Command
	file    string // the configuration
	service bool   // the files are of the service of systemd
	ended   chan error
	running bool // as the collector; only Serve's goroutine sets it, and who has waited for it reads it
}

// inBrowser serves set-up to a browser. Afterwards it runs as the collector, if that is
// wanted and no service does it.
func (f *setupFlags) inBrowser(c *cobra.Command, zh bool) (err error) {
	b := &browserSetup{setupFlags: f, c: c, file: filepath.Join(f.place.Dir, setup.ConfigFile),
		ended: make(chan error, 1)}
	b.service = ofServices([]string{b.file, filepath.Join(f.place.Data, "county")})
	switch {
	case !web.Loopback(f.web.listen):
		return usageError{fmt.Errorf("--listen %s: the page is for this computer only, because nobody has a password "+
			"yet: give an address such as 127.0.0.1:8089, and from another computer make a tunnel: "+
			"ssh -L 8089:127.0.0.1:8089", f.web.listen)}
	case f.web.linkFor <= 0 || f.web.linkFor > 24*time.Hour:
		return usageError{fmt.Errorf("--link-for %s: write 1s to 24h", f.web.linkFor)}
	case f.start && b.service && os.Geteuid() != 0:
		return fmt.Errorf("--start: only root starts services: sudo gatehouse setup --web --start")
	}
	for _, dir := range []string{f.place.Dir, f.place.Data} {
		if err := writable(dir); err != nil {
			return err
		}
	}
	if err := unused(filepath.Join(f.place.Data, "county")); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "gatehouse-setup-") // for this account only
	if err != nil {
		return fmt.Errorf("make a folder for what is uploaded: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	l, err := (&net.ListenConfig{}).Listen(c.Context(), "tcp", f.web.listen)
	if err != nil {
		return fmt.Errorf("serve the page of set-up: %w (--listen gives it another address)",
			web.Unheard(f.web.listen, err))
	}
	log, end := Logger(c.ErrOrStderr())
	defer end()
	return b.serve(l, scratch, log, zh)
}

func (b *browserSetup) serve(l net.Listener, scratch string, log *slog.Logger, zh bool) error {
	ctx, cancel := context.WithCancel(b.c.Context())
	defer cancel() // ends the collector when something else fails
	b.c.SetContext(ctx)
	opts := page.Options{Place: b.place, Scratch: scratch, LinkFor: b.web.linkFor, Now: time.Now, Log: log,
		Computer: page.Computer{Names: append([]string{b.place.Host}, addresses()...), Command: b.command()},
		Deeds: page.Deeds{Look: b.look, Try: tryInflux, Link: b.link, Trust: b.trust,
			Plan: func(a setup.Answers) ([]setup.File, error) { return setup.Plan(a, b.place, time.Now(), reader()) },
			Write: func(_ context.Context, a setup.Answers) ([]setup.Written, error) {
				written, err := b.write(a, time.Now())
				if err == nil {
					err = b.checkWritten(b.c, b.file)
				}
				return written, err
			},
			Say: func(link string) error {
				_, err := fmt.Fprintf(b.c.OutOrStdout(), "open this link in a browser of this computer, once, "+
					"within %s:\n  %s\n", b.web.linkFor, link)
				return err
			}}}
	if b.start {
		opts.Start = b.begin
	}
	a, written, err := page.New(opts).Serve(ctx, l)
	if b.running && err != nil {
		cancel()
		return errors.Join(err, <-b.ended)
	}
	if err != nil {
		if b.c.Context().Err() != nil && len(written) == 0 {
			return setup.ErrEnded
		}
		return err
	}
	if err := b.print(b.c.OutOrStdout(), a, written, b.start, zh); err != nil || !b.running {
		return err
	}
	return <-b.ended
}

// command returns what starts the collector.
func (b *browserSetup) command() string {
	if b.service {
		return "sudo systemctl enable --now gatehouse-collect"
	}
	return "gatehouse collect --config " + b.file
}

// begin starts the service, or the collector in this process.
func (b *browserSetup) begin(context.Context) error {
	if b.service {
		return startUnit(b.c, collectUnit, false)
	}
	child := &cobra.Command{}
	child.SetContext(b.c.Context()) // it outlives the page
	child.SetOut(b.c.OutOrStdout())
	child.SetErr(b.c.ErrOrStderr())
	b.running = true
	collector := collectFlags{file: b.file, logs: logFlags{level: "info", format: "text"}}
	go func() { b.ended <- collector.run(child) }()
	return nil
}

// link returns the link for the desk's first user, once the collector has made it.
func (b *browserSetup) link() (string, error) {
	select {
	case err := <-b.ended:
		b.running = false
		return "", errors.Join(errors.New("the collector has ended"), err)
	default:
	}
	text, err := config.Read(filepath.Join(b.place.Data, "county", "setup-link"))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	line, _, whole := strings.Cut(string(text), "\n")
	if !whole { // it is being written
		return "", err
	}
	return line, err
}

// trust returns the certificate of the authority that set-up has made.
func (b *browserSetup) trust() string {
	text, err := config.Read(filepath.Join(b.place.Dir, "tls", "ca.crt"))
	if err != nil {
		return "" // there is none
	}
	return string(text)
}

// look returns what stands against the answers.
func (b *browserSetup) look(ctx context.Context, a setup.Answers) (faults []page.Fault) {
	if err := b.lookForOthers(ctx, a); err != nil {
		faults = append(faults, page.Fault{Key: "other", Text: err.Error()})
	}
	for _, at := range a.Listens() {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", at)
		if err != nil {
			faults = append(faults, page.Fault{Key: "ports", Text: web.Unheard(at, err).Error()})
			continue
		}
		_ = l.Close() // nobody has connected
	}
	for _, dir := range []string{b.place.Dir, b.place.Data} {
		if err := writable(dir); err != nil {
			faults = append(faults, page.Fault{Key: "folder", Text: err.Error()})
		}
	}
	if a.Influx.URL != "" {
		if err := tryInflux(ctx, a); err != nil {
			faults = append(faults, page.Fault{Key: "influx", Text: err.Error()})
		}
	}
	return faults
}

// tryInflux asks the InfluxDB of the answers.
func tryInflux(ctx context.Context, a setup.Answers) error {
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	return centre.Config{County: a.County, Influx: &centre.Influx{URL: a.Influx.URL, Org: a.Influx.Org,
		Bucket: a.Influx.Bucket, TokenFile: a.Influx.TokenFile}}.TryInflux(ctx)
}

// writable returns an error when this account can't write into a folder, or make it.
func writable(dir string) error {
	at := dir
	for {
		info, err := os.Stat(at)
		if errors.Is(err, os.ErrNotExist) && at != filepath.Dir(at) {
			at = filepath.Dir(at)
			continue
		}
		if err != nil {
			return fmt.Errorf("look at the folder %s: %w", dir, err)
		}
		if !info.IsDir() {
			return fmt.Errorf("%s is a file: a folder has to be there", at)
		}
		break
	}
	switch err := unix.Access(at, unix.W_OK|unix.X_OK); {
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("%s can't be written: it is on a disk that is mounted read-only", dir)
	case err != nil:
		return fmt.Errorf("%s can't be written: %w: start it as root (sudo gatehouse setup), or name folders of your "+
			"own with --dir and --data", dir, err)
	}
	return nil
}

// addresses returns the addresses of this computer by which others may find it.
func addresses() (out []string) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil // somebody types them
	}
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() && !strings.Contains(n.IP.String(), ":") {
			out = append(out, n.IP.String())
		}
	}
	return out
}
