// Package cli is the gatehouse command, with a file for each subcommand. It reads
// flags and files and calls the other packages; it has no logic of its own.
package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	"github.com/spf13/cobra"

	"gatehouse/gateway/complaint"
	"gatehouse/gateway/filesystem"
	"gatehouse/gateway/logpipe"
	"gatehouse/gateway/mqtt"
	"gatehouse/gateway/openfiles"
	"gatehouse/gateway/systemd"
	"gatehouse/gateway/version"
)

// Run runs one command line and returns the exit code. Errors are printed to
// errOut, each once.
func Run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	return Execute(ctx, root, errOut)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "gatehouse",
		Short: "Gateway for checkpoints and disinfection equipment of a county",
		Long: `gatehouse runs at the gates of closed compounds (agent) and at the county
(collect, broker). It turns the bytes of thermometers and card readers into
readings, decides on the spot, and delivers every record to the county's store.

Exit codes: 0 done, 1 failed or found what it looks for, 2 wrong usage; gatehouse help exit-codes says more.`,
		Version: version.String,
	}
	root.AddCommand(setupCommand(), configCommand(), doctorCommand())
	root.AddCommand(agentCommand(), enrolCommand(), brokerCommand(), collectCommand(),
		devicesCommand(), watchCommand(), statusCommand(), readyCommand(), influxCommand(),
		journalCommand(), quarantineCommand(), runsCommand(),
		machinesCommand(), importCommand(), exportCommand(), historyCommand(), explainCommand(),
		inviteCommand(), auditCommand(), endCommand(), backupCommand(), restoreCommand(),
		serviceRuns(identityCommand(), "config"), tokenCommand(), consentCommand(),
		traceCommand(), accessReportCommand(), serviceRuns(rulesCommand(), "config"), callsCommand(), checksCommand(),
		guardCommand(),
		packagesCommand(), upgradeCommand(), gateCommand(), passCommand(), policyCommand(), replayCommand(),
		versionCommand(), DocsCommand(), exitCodesTopic())
	polish(root)
	return root
}

// logger returns a logger of text lines for people, or of JSON lines for tools, in
// which warnings that one machine or port repeats are counted. It never waits for
// whoever reads w, and outlives that reader. Lines of text that systemd's journal takes have
// priorities instead of time and level. end writes what has been counted.
func logger(w io.Writer, level, format string) (log *slog.Logger, end func(), err error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, nil, usageError{fmt.Errorf("--log-level %q: use debug, info, warn or error", level)}
	}
	var handler func(io.Writer) slog.Handler
	switch opts := (&slog.HandlerOptions{Level: l}); format {
	case "text":
		if systemd.Journal(w) {
			log, end = piped(w, func(w io.Writer) slog.Handler { return systemd.NewHandler(w, l) })
			return log, end, nil
		}
		handler = func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, opts) }
	case "json":
		handler = func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, opts) }
	default:
		return nil, nil, usageError{fmt.Errorf("--log-format %q: use text or json", format)}
	}
	log, end = piped(w, handler)
	return log, end, nil
}

// Logger returns a logger of warnings and errors as lines of text, and a function
// that ends it. Like the commands' own it outlives whoever reads w. For the simulator.
func Logger(w io.Writer) (log *slog.Logger, end func()) {
	return piped(w, func(w io.Writer) slog.Handler {
		return slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn})
	})
}

// piped returns a logger to w that waits for nobody.
func piped(w io.Writer, handler func(io.Writer) slog.Handler) (log *slog.Logger, end func()) {
	logpipe.IgnoreBrokenPipes()
	pipe := logpipe.New(w, func(lines int) []byte {
		var b bytes.Buffer
		slog.New(handler(&b)).Warn("lines of the log were dropped: nobody read them in time", "lines", lines)
		return b.Bytes()
	})
	h := complaint.NewHandler(handler(pipe))
	return slog.New(h), func() { h.Close(); pipe.Close() }
}

// logFlags are the flags of every command that runs until it is stopped.
type logFlags struct{ level, format string }

func (f *logFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.level, "log-level", "info", "debug, info, warn or error")
	c.Flags().StringVar(&f.format, "log-format", "text", "text or json")
}

func (f *logFlags) logger(c *cobra.Command) (log *slog.Logger, end func(), err error) {
	return logger(c.ErrOrStderr(), f.level, f.format)
}

// mayKeep returns an error when nothing can be kept in dir. It warns, and returns the
// warning, when what is kept there may be lost.
func mayKeep(dir string, log *slog.Logger) (warning string, err error) {
	if dir == "" {
		return "", nil // whoever needs one says so
	}
	warning, err = filesystem.Check(dir)
	if err == nil && warning != "" {
		log.Warn("what is kept here is not safe", "dir", dir, "reason", warning)
		warning = dir + ": " + warning
	}
	return warning, err
}

// advised returns the error of a program that keeps its files in dir, with what is
// wrong with the disk.
func advised(dir string, err error) error {
	if err == nil || dir == "" {
		return err
	}
	if full := filesystem.Full(dir); full != "" {
		return fmt.Errorf("%w; %s", err, full)
	}
	return err
}

// lookAtLimits warns when this process may have few files open.
func lookAtLimits(log *slog.Logger) {
	if n, few := openfiles.Few(); few {
		log.Warn(
			"this process may have few files and connections open, and fails when it needs more: raise the limit "+
				"(LimitNOFILE= of a service, ulimit -n of a shell)",
			"limit",
			n,
			"enough",
			openfiles.Enough,
		)
	}
}

// beside resolves relative paths of a configuration file from its own folder.
func beside(config string, paths ...*string) {
	dir := filepath.Dir(config)
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

// brokerFlags are the flags for connecting to the broker.
type brokerFlags struct {
	b      mqtt.Broker
	county string
}

func (f *brokerFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.b.URL, "broker", "tcp://127.0.0.1:1883", "the broker's address")
	c.Flags().StringVar(&f.county, "county", "", "id of the county (default: all counties of the broker)")
	c.Flags().StringVar(&f.b.Username, "username", "", "user at the broker")
	c.Flags().StringVar(&f.b.PasswordFile, "password-file", "", "file with the user's password")
	c.Flags().StringVar(&f.b.CA, "ca", "", "PEM file of the authority that signed the broker's certificate")
	c.Flags().StringVar(&f.b.Cert, "cert", "", "PEM file of a client certificate")
	c.Flags().StringVar(&f.b.Key, "key", "", "PEM file of its key")
	c.Flags().StringVar(&f.b.ServerName, "server-name", "", "name in the broker's certificate, if not its address")
	c.Flags().StringVar(&f.b.TLSMin, "tls-min", "", "1.2 for a broker that does not speak TLS 1.3")
	c.Flags().StringVar(&f.b.Proxy, "proxy", "",
		"reach the broker through this proxy: environment, http://host:port or socks5://host:port")
}

// level returns the topic level that selects the county.
func (f *brokerFlags) level() string {
	if f.county == "" {
		return "+"
	}
	return f.county
}
