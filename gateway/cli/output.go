package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gatehouse/gateway/progress"
	"gatehouse/gateway/term"
)

// The forms in which commands print their data.
const (
	asTable = "table" // for people; colours only on a terminal, and not with NO_COLOR
	asJSON  = "json"  // one document
	asJSONL = "jsonl" // a document a line, of a command that prints as long as it runs
	asCSV   = "csv"
)

// output is the flag -o of a command that prints data: in which form. The data go to
// standard output, and nothing else does; errors and notes go to standard error.
type output struct {
	form  string
	forms []string // the first one is the default
}

// add adds the flag to a command with its forms; none: table and json.
func (o *output) add(c *cobra.Command, forms ...string) {
	if len(forms) == 0 {
		forms = []string{asTable, asJSON}
	}
	o.form, o.forms = forms[0], forms
	c.Flags().VarP(o, "output", "o", "how the data are printed: "+either(forms))
	_ = c.RegisterFlagCompletionFunc("output", fixed(forms...)) // the flag exists
}

// The forms, for the simulator.
const (
	JSON  = asJSON
	JSONL = asJSONL
)

// Output is the flag -o for the simulator's commands.
type Output struct{ output }

// Add adds the flag to a command with its forms; none: table and json.
func (o *Output) Add(c *cobra.Command, forms ...string) { o.add(c, forms...) }

// Form returns the form: table, json or jsonl.
func (o *Output) Form() string { return o.form }

// fileFlag adds the flag of a file that a command writes, instead of to standard output.
// --output was its name before 1.0.
func fileFlag(c *cobra.Command, to *string) {
	c.Flags().StringVar(to, "file", "-", "file to write; -: standard output")
	c.Flags().SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "output" {
			name = "file"
		}
		return pflag.NormalizedName(name)
	})
}

// String returns the form. It is a method of pflag.Value, as are Set and Type.
func (o *output) String() string { return o.form }

// Type returns what the help writes for the value.
func (o *output) Type() string { return "form" }

// Set takes a form. Of a command that has no document to end it takes json for jsonl.
func (o *output) Set(form string) error {
	switch {
	case form == "text": // its name in versions before 1.0
		form = asTable
	case form == asJSON && !slices.Contains(o.forms, asJSON) && slices.Contains(o.forms, asJSONL):
		form = asJSONL
	}
	if !slices.Contains(o.forms, form) {
		return fmt.Errorf("use %s", either(o.forms))
	}
	o.form = form
	return nil
}

// is reports whether the data are printed in a form.
func (o *output) is(form string) bool { return o.form == form }

// bar shows how far a command has come, on standard error if that is a terminal. Somebody
// who asks for another form than a table has a program that reads, and there is none.
func (o *output) bar(c *cobra.Command, what string, total int64, unit progress.Unit) progress.Bar {
	if !o.is(asTable) {
		return progress.None()
	}
	return progress.New(c.ErrOrStderr(), what, total, unit)
}

// barBeside shows how far a command has come whose data go to out, and not in a form of -o. There
// is no bar where the data themselves run over the terminal.
func barBeside(c *cobra.Command, out io.Writer, what string, total int64, unit progress.Unit) progress.Bar {
	if term.Is(out) {
		return progress.None()
	}
	return progress.New(c.ErrOrStderr(), what, total, unit)
}

// either returns words as a choice: "table, csv or json".
func either(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// document writes v as one JSON document.
func document[T any](w io.Writer, v T) error { return json.NewEncoder(w).Encode(v) }

// table is how a list is printed for people.
type table[T any] struct {
	none string // what is printed when there is nothing
	head []string
	row  func(T) []string
}

// list prints a list: as a table, or as one JSON document, an array.
func list[T any](c *cobra.Command, o *output, all []T, t table[T]) error {
	if o.is(asJSON) {
		return document(c.OutOrStdout(), append([]T{}, all...)) // never null
	}
	if len(all) == 0 && t.none != "" {
		_, err := fmt.Fprintln(c.OutOrStdout(), t.none)
		return err
	}
	rows := make([][]string, 0, len(all))
	for _, x := range all {
		rows = append(rows, t.row(x))
	}
	return term.New(c.OutOrStdout()).Table(t.head, rows)
}
