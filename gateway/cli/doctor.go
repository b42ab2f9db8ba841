package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/gateway/config"
	"gatehouse/gateway/doctor"
	"gatehouse/gateway/doctor/host"
	"gatehouse/gateway/term"
)

// doctorFlags are the flags of doctor.
type doctorFlags struct {
	configFlags

	language string
	all      bool
	trials   bool // only what the service's user must be able to do
}

// lookWithin bounds a look at everything.
const lookWithin = 90 * time.Second

func doctorCommand() *cobra.Command { return doctorOf(host.Host{}) }

// Doctor runs gatehouse doctor with a computer of the caller's, and returns the exit code. For
// the simulator.
func Doctor(ctx context.Context, p doctor.Probe, args []string, out, errOut io.Writer) int {
	root := &cobra.Command{Use: "gatehouse"}
	root.AddCommand(doctorOf(p))
	root.SetArgs(append([]string{"doctor"}, args...))
	root.SetOut(out)
	root.SetErr(errOut)
	return Execute(ctx, root, errOut)
}

// doctorOf returns the command for a computer.
func doctorOf(p doctor.Probe) *cobra.Command {
	var f doctorFlags
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong with this computer and its configuration, and say what to do",
		Long: `doctor looks at a collector or a gate: its configuration and the files that it names,
clock and time zone, folders, disks and memory, ports, broker, store, certificates, names,
devices, screen and sound, services, backups. Of each fault it says what is wrong, why it
matters, and what to type. It changes nothing; it writes a small file to each disk and
removes it, opens devices that nobody has open, and asks the broker and the desk.

It finds by itself what this computer is, by the configurations of the services; --config
names another one. Started by root it sees more: who has a port, and all files; what the
service must be able to do it tries as the user gatehouse.

A verdict is ok, warn (it works, and may not for long), fail, or unknown (it can't be seen
here). Exit codes: 0 nothing fails, 1 something does, 2 wrong usage, or no such configuration.`,
		Example: "  sudo gatehouse doctor\n  gatehouse doctor --config collect.yaml -o json --language zh",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return f.run(c, p) },
	}
	f.add(c)
	addLanguage(c, &f.language)
	c.Flags().BoolVar(&f.all, "all", false, "list what is ok, too")
	c.Flags().BoolVar(&f.trials, "trials", false, "only what the service itself must be able to do")
	_ = c.Flags().MarkHidden("trials") // the flag exists
	return c
}

// finding is one for people or programs, in one language.
type finding struct {
	File    string         `json:"config,omitempty"`
	Check   string         `json:"check"`
	On      string         `json:"on,omitempty"`
	Verdict doctor.Verdict `json:"verdict"`
	What    string         `json:"what"`
	Why     string         `json:"why,omitempty"`
	Cure    string         `json:"cure,omitempty"`
}

func (f *doctorFlags) run(c *cobra.Command, p doctor.Probe) error {
	zh, err := chinese(f.language)
	if err != nil {
		return err
	}
	paths, err := f.paths(nil)
	if err != nil && (len(f.files) > 0 || f.kind != "" || errors.Is(err, fs.ErrPermission)) {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Context(), lookWithin)
	defer cancel()
	all := []finding{}
	if len(paths) == 0 {
		all = append(all, inLanguage("", zh, doctor.Examine(ctx,
			doctor.Subject{Trials: []doctor.Trial{unconfigured()}}, p))...)
	}
	for _, path := range paths {
		found, err := f.examine(ctx, path, p, zh)
		if err != nil {
			return err
		}
		all = append(all, found...)
	}
	return f.print(c.OutOrStdout(), all, zh)
}

// unconfigured says that this computer is neither collector nor gate.
func unconfigured() doctor.Trial {
	return doctor.Trial{Check: "config",
		Why: doctor.Text{ZH: "没有配置，什么也不运行", EN: "nothing runs without one"},
		Cure: doctor.Text{ZH: "县中心: sudo gatehouse setup；门岗: sudo gatehouse enrol",
			EN: "at the county: sudo gatehouse setup; at a gate: sudo gatehouse enrol"},
		Try: func(context.Context) (doctor.Text, error, error) {
			return doctor.Text{}, nil, fmt.Errorf("no configuration is at %s", strings.Join(usualFiles, ", "))
		}}
}

// examine looks at what one configuration describes.
func (f *doctorFlags) examine(ctx context.Context, path string, p doctor.Probe, zh bool) (
	[]finding, error) {
	text, err := config.Read(path)
	if err != nil {
		return nil, usageError{unreadable(err, path, howMade)}
	}
	kind := f.kind
	if kind == "" {
		kind = guessKind(text)
	}
	s := subject(path, kind, text, p)
	if f.trials {
		return inLanguage(path, zh, doctor.Try(ctx, s)), nil
	}
	var out []finding
	var answer bytes.Buffer
	child := &cobra.Command{}
	child.SetContext(ctx)
	child.SetOut(&answer)
	child.SetErr(io.Discard)
	args := []string{"doctor", "--trials", "--output", "json", "--config", path, "--kind", kind,
		"--language", map[bool]string{true: "zh", false: "en"}[zh]}
	if done, _ := asService(child, []string{path}, args); done && json.Unmarshal(answer.Bytes(), &out) == nil {
		s.Trials = nil
	}
	return append(out, inLanguage(path, zh, doctor.Examine(ctx, s, p))...), nil
}

func inLanguage(path string, zh bool, all []doctor.Finding) (out []finding) {
	for _, x := range all {
		out = append(out, finding{path, x.Check, x.On, x.Verdict, x.What.In(zh), x.Why.In(zh), x.Cure.In(zh)})
	}
	return out
}

var errSick = errors.New("something does not work")

func (f *doctorFlags) print(w io.Writer, all []finding, zh bool) error {
	counts := map[doctor.Verdict]int{}
	for _, x := range all {
		counts[x.Verdict]++
	}
	var err error
	if f.output.is(asJSON) {
		err = printJSON(w, all)
	} else {
		err = f.table(w, all, counts, zh)
	}
	if err == nil && counts[doctor.Fail] > 0 {
		err = fmt.Errorf("%w: %d faults", errSick, counts[doctor.Fail])
	}
	return err
}

// table writes the findings for people: the gravest first.
func (f *doctorFlags) table(w io.Writer, all []finding, counts map[doctor.Verdict]int, zh bool) error {
	words := map[doctor.Verdict]string{doctor.Fail: "FAIL", doctor.Warn: "WARN", doctor.Unknown: "UNKNOWN",
		doctor.OK: "ok"}
	why, cure := "why", "do"
	if zh {
		words = map[doctor.Verdict]string{doctor.Fail: "故障", doctor.Warn: "注意", doctor.Unknown: "不明", doctor.OK: "正常"}
		why, cure = "影响", "处理"
	}
	p := term.New(w)
	styles := map[doctor.Verdict]term.Style{doctor.Fail: term.Danger, doctor.Warn: term.Warn}
	var b strings.Builder
	for _, v := range []doctor.Verdict{doctor.Fail, doctor.Warn, doctor.Unknown, doctor.OK} {
		for _, x := range all {
			if x.Verdict != v || v == doctor.OK && !f.all {
				continue
			}
			word := words[v]
			if style, ok := styles[v]; ok {
				word = p.Paint(style, word)
			}
			fmt.Fprintf(&b, "%s  %s  %s\n", word, x.Check, x.What)
			if x.Why != "" {
				fmt.Fprintf(&b, "      %s: %s\n", why, x.Why)
			}
			if x.Cure != "" {
				fmt.Fprintf(&b, "      %s: %s\n", cure, x.Cure)
			}
		}
	}
	fmt.Fprintf(&b, "%s %d, %s %d, %s %d, %s %d\n", words[doctor.Fail], counts[doctor.Fail], words[doctor.Warn],
		counts[doctor.Warn], words[doctor.Unknown], counts[doctor.Unknown], words[doctor.OK], counts[doctor.OK])
	_, err := io.WriteString(w, b.String())
	return err
}
