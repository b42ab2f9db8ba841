package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/enrol"
	"gatehouse/gateway/edge/upgrade"
	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/proxied"
	"gatehouse/gateway/tpm"
)

// enrolFlags are the flags of enrol.
type enrolFlags struct {
	dir, proxy, tpm string
	again, start    bool
}

func enrolCommand() *cobra.Command {
	var f enrolFlags
	c := &cobra.Command{
		Use:   "enrol [CODE]",
		Short: "Put this gate into service with a code from the desk",
		Long: `enrol puts a gate into service. It makes the gate's own key, asks the county's desk for a
certificate, and shows a fingerprint of 16 digits: read it out by telephone to whoever
is at the desk. When that person has approved, it writes all that the agent needs into
the folder, and ends.

The code is typed as it is printed, or scanned; blanks, dashes and the case of letters
do not matter. Without a code on the command line it is read from standard input, which
keeps it out of the list of processes; - does so without a question. An enrolment that was
ended before goes on.

Started by root for a folder below /var/lib/gatehouse it works as the user gatehouse, whose
service reads the folder. Root itself takes the address and key by which the county upgrades
the computer (gatehouse upgrade --take-key). With --start it has the services of the gate
enabled and started afterwards; else enrol says how.`,
		Example: "  gatehouse enrol 04TXP 8WQ2M ...\n  sudo gatehouse enrol --start < code.txt",
		RunE: func(c *cobra.Command, args []string) error {
			return f.run(c, strings.Join(args, " "))
		},
	}
	c.Flags().StringVar(&f.dir, "dir", gateFolder, "the gate's folder: agent.yaml comes here")
	c.Flags().StringVar(&f.proxy, "proxy", "", "reach the desk through this proxy: environment, http://host:port "+
		"or socks5://host:port")
	c.Flags().BoolVar(&f.again, "again", false, "the folder is a gate's already: replace its identity and "+
		"configuration, and keep its journal")
	c.Flags().BoolVar(&f.start, "start", false, "afterwards enable and start the service of the gate (as root)")
	addTPM(c, &f.tpm, "")
	return c
}

// addTPM adds the flag that says where a gate's key is made.
func addTPM(c *cobra.Command, to *string, when string) {
	c.Flags().StringVar(to, "tpm", enrol.TPMAuto, when+"where the gate's key is made: auto (in "+tpm.Device+
		" if there is one that can be used, or else in a file), off (in a file), or the path of a TPM 2.0")
}

func (f *enrolFlags) run(c *cobra.Command, text string) error {
	if err := proxied.Check(f.proxy); err != nil {
		return usageError{err}
	}
	if err := checkTPM(f.tpm); err != nil {
		return err
	}
	if forService(f.file()) {
		return f.runAsRoot(c, text)
	}
	out := c.OutOrStdout()
	switch {
	case text == fromInput:
		text = readCode(c.InOrStdin())
	case text == "" && !enrol.Begun(f.dir):
		text = askCode(c)
	}
	var code enrolment.Code
	if text != "" || !enrol.Begun(f.dir) {
		var err error
		if code, err = enrolment.ParseCode(text); err != nil {
			return usageError{err}
		}
	}
	name, err := enrol.Run(
		c.Context(),
		code,
		enrol.Options{Dir: f.dir, Again: f.again, Client: enrol.NewClient(f.proxy),
			Screen: &terminal{out: out}, Check: checkEnrolled, TPM: f.tpm},
	)
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("ended before somebody approved; start the same command again to go on: %w", err)
	}
	if err != nil {
		return err
	}
	file := f.file()
	start := "gatehouse agent --config " + file
	if ofServices([]string{file}) {
		start = "sudo systemctl enable --now " + agentUnit
	}
	if _, err = fmt.Fprintf(out, "%s is ready. Start it: %s\n", name, start); err != nil || !f.start {
		return err
	}
	return startUnit(c, agentUnit, f.again)
}

// agentUnit is the service of a gate, and gateFolder the folder that it reads.
const (
	agentUnit  = "gatehouse-agent.service"
	gateFolder = "/var/lib/gatehouse/gate"
)

// file is the gate's configuration.
func (f *enrolFlags) file() string { return filepath.Join(f.dir, enrolment.AgentFile) }

// fromInput in place of a code has it read from standard input without a question.
const fromInput = "-"

// runAsRoot has the user of the services enrol the gate, whose folder is theirs. What only root
// may do it does itself: it takes the county's key of packages, by the authority that the code
// names, and starts services.
func (f *enrolFlags) runAsRoot(c *cobra.Command, text string) error {
	trust := upgrade.Trust{}
	args := []string{"enrol", "--dir", f.dir, "--proxy", f.proxy, "--tpm", f.tpm}
	if f.again {
		args = append(args, "--again")
	}
	if text == "" && !enrol.Begun(f.dir) {
		text = askCode(c)
	}
	if text != "" {
		if text == fromInput {
			text = readCode(c.InOrStdin())
		}
		code, err := enrolment.ParseCode(text)
		if err != nil {
			return usageError{err}
		}
		trust.Authority = code.Authority[:]
		c.SetIn(strings.NewReader(text + "\n\n")) // not in the list of processes
		args = append(args, fromInput)
	}
	if _, err := asService(c, []string{f.file()}, args); err != nil {
		return err
	}
	if f.start {
		if err := startUnit(c, agentUnit, f.again); err != nil {
			return err
		}
	}
	take := takeFlags{dir: f.dir, start: f.start}
	return take.after(c, trust)
}

// askCode asks for a code.
func askCode(c *cobra.Command) string {
	fmt.Fprintln(c.OutOrStdout(), "Type or scan the code, then an empty line:")
	return readCode(c.InOrStdin())
}

// checkTPM returns a usage error for a flag of addTPM that says nothing.
func checkTPM(choice string) error {
	if choice == enrol.TPMAuto {
		return nil
	}
	if _, err := tpm.Find(choice); err != nil {
		return usageError{err}
	}
	return nil
}

// readCode returns lines until they are a whole code, or one is empty.
func readCode(in io.Reader) (text string) {
	lines := bufio.NewScanner(io.LimitReader(in, 8<<10))
	for lines.Scan() {
		if strings.TrimSpace(lines.Text()) == "" && text != "" {
			return text
		}
		text += lines.Text() + "\n"
		if _, err := enrolment.ParseCode(text); err == nil {
			return text
		}
	}
	return text
}

// checkEnrolled says what is wrong with a configuration and the files that it names.
func checkEnrolled(file string) error {
	cfg, err := config.Load[agent.Config](file)
	if err != nil {
		return err
	}
	beside(file, cfg.Paths()...)
	_, err = agent.Check(cfg, time.Now())
	return err
}

// terminal shows how far an enrolment is.
type terminal struct {
	out  io.Writer
	last string
}

func (t *terminal) Asked(agent, fingerprint string) {
	fmt.Fprintf(t.out, "%s asks the county for its certificate. Read these digits out to the desk:\n\n%s\n  %s\n\n"+
		"Waiting until somebody at the desk approves (Ctrl-C ends; the same command goes on)\n",
		agent, large(fingerprint), fingerprint)
}

func (t *terminal) Made(device string, reason error) {
	switch {
	case device != "":
		fmt.Fprintf(t.out, "the gate's key was made in the TPM %s\n", device)
	case reason != nil:
		fmt.Fprintf(t.out, "the gate's key is a file, because the TPM can't be used: %s\n", reason)
	}
}

func (t *terminal) Answered() { t.last = "" }

func (t *terminal) Trouble(err error) {
	if text := err.Error(); text != t.last {
		t.last = text
		fmt.Fprintf(t.out, "trying again: %s\n", text)
	}
}

func (t *terminal) Clock(ahead time.Duration) {
	word := "behind"
	if ahead < 0 {
		word = "ahead of"
	}
	fmt.Fprintf(t.out, "this computer's clock is %s %s the county's: set it, or let it be set by NTP\n",
		ahead.Abs().Round(time.Second), word)
}

// digits are 5 rows of 3 columns each.
var digits = [10]string{
	"████ ██ ██ ████", " █ ██  █  █ ███", "███  █████  ███", "███  ████  ████", "█ ██ ████  █  █",
	"████  ███  ████", "████  ████ ████", "███  █  █  █  █", "████ █████ ████", "████ ████  ████",
}

// large returns a text of digits and blanks, 5 rows high.
func large(text string) string {
	var out strings.Builder
	for row := range 5 {
		out.WriteString("  ")
		for _, r := range text {
			cell := "   "
			if r >= '0' && r <= '9' {
				glyph := []rune(digits[r-'0'])
				cell = string(glyph[3*row : 3*row+3])
			}
			out.WriteString(cell + " ")
		}
		out.WriteByte('\n')
	}
	return out.String()
}
