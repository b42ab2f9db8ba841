package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"gatehouse/gateway/secret"
	"gatehouse/gateway/term"
	"gatehouse/gateway/trial"
)

func policyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "Try the rules of a gate out before they are in force",
	}
	c.AddCommand(policyTestCommand(), policyDiffCommand())
	return c
}

// policyTestFlags are the flags of policy test.
type policyTestFlags struct {
	policy, roster string
	verbose        bool
	output         output
}

// warnOfReaders warns of a roster that other accounts may read. Rules are tried out on an
// engineer's own computer, with invented people too; agents and the county take the rights away.
func warnOfReaders(c *cobra.Command, rosters ...string) {
	for _, path := range rosters {
		if exposed, is := errors.AsType[*secret.Error](secret.Check(path)); is {
			fmt.Fprintf(c.ErrOrStderr(), "warning: %v; a gate takes that from them\n", exposed)
		}
	}
}

func policyTestCommand() *cobra.Command {
	var f policyTestFlags
	c := &cobra.Command{
		Use:   "test CASES...",
		Short: "Let cases go through the gate: given, when, then",
		Long: `test reads files of cases. Each case says what has passed (given), who comes (when),
and what the gate must decide (then): verdict, reasons, instruction, the rule that
decides, from when the card may pass again. Every case goes through the same code as
at a gate. deploy/policy has two files of cases to begin with.

It prints what is not as written, and fails then.`,
		Example: "  gatehouse policy test deploy/policy/closed-compound.cases.yaml\n" +
			"  gatehouse policy test --policy new.yaml cases.yaml",
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.run(c, args) },
	}
	c.Flags().StringVar(&f.policy, "policy", "", "policy to try instead of the one that the cases name")
	c.Flags().StringVar(&f.roster, "roster", "", "roster to use instead of the one that the cases name")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "print every case")
	f.output.add(c)
	return c
}

// triedCases is a file of cases and what came of them, for tools.
type triedCases struct {
	File  string      `json:"file"`
	Cases []triedCase `json:"cases"`
}

type triedCase struct {
	Name  string   `json:"name"`
	Line  int      `json:"line"`
	Got   string   `json:"got"`   // verdict, reasons and rule
	Wrong []string `json:"wrong"` // what is not as written
}

// wrong counts the cases that are not as written.
func (t triedCases) wrong() (n int) {
	for _, o := range t.Cases {
		if len(o.Wrong) > 0 {
			n++
		}
	}
	return n
}

func (f *policyTestFlags) run(c *cobra.Command, files []string) error {
	wrong := 0
	var all []triedCases
	for _, file := range files {
		suite, err := trial.Load(file, f.policy, f.roster)
		if err != nil {
			return err
		}
		warnOfReaders(c, suite.Roster())
		t := triedCases{File: file, Cases: []triedCase{}}
		for _, o := range suite.Run() {
			t.Cases = append(t.Cases, triedCase{o.Name, o.Line, o.Got, append([]string{}, o.Wrong...)})
		}
		wrong += t.wrong()
		if all = append(all, t); f.output.is(asTable) {
			f.print(c.OutOrStdout(), t)
		}
	}
	if f.output.is(asJSON) {
		if err := document(c.OutOrStdout(), all); err != nil {
			return err
		}
	}
	if wrong > 0 {
		return errors.New("the rules do not decide as the cases say: mend the policy, or the cases")
	}
	return nil
}

// print prints for people what is not as written.
func (f *policyTestFlags) print(out io.Writer, t triedCases) {
	for _, o := range t.Cases {
		if len(o.Wrong) > 0 || f.verbose {
			fmt.Fprintf(out, "line %d: %s\n", o.Line, term.Clean(o.Name))
		}
		for _, w := range o.Wrong {
			fmt.Fprintf(out, "    WRONG: %s\n", term.Clean(w))
		}
		if len(o.Wrong) == 0 && f.verbose {
			fmt.Fprintf(out, "    %s\n", o.Got)
		}
	}
	if bad := t.wrong(); bad > 0 {
		fmt.Fprintf(out, "%s: %d of %d cases are not as written\n", t.File, bad, len(t.Cases))
		return
	}
	fmt.Fprintf(out, "%s: %d cases, all as written\n", t.File, len(t.Cases))
}
