package cli

import "github.com/spf13/cobra"

// exitCodesTopic is the page gatehouse help exit-codes. It is no command.
func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes mean",
		Long: `Every command ends with one of these codes, and says on standard error what was wrong:

  0    done
  1    failed; or the command has found what it looks for: damage in a journal, an audit
       that is not whole, cases that are not decided as written, a message that would go
       to quarantine, a verdict that does not come out again
  2    wrong usage: an unknown command, flag or value, a missing argument, a time that
       can't be read. Nothing was done; the message says what to write instead.
  75   of gatehouse agent: it is to be started again (EX_TEMPFAIL of sysexits.h); the
       unit of systemd does that
  141  whoever read standard output has ended, as in gatehouse runs | head

Data go to standard output, as a table for people or with -o json as one JSON document;
records for other programs are written in a --format, to standard output or to a --file;
errors, notes and progress go to standard error. Colours and progress are for terminals
only; NO_COLOR takes the colours away.

Times in flags are written as 2020-02-14 (midnight in the county) or with their zone, as
2020-02-14T08:00:00+08:00. Durations are written as 90s, 15m, 12h or 1h30m.`,
	}
}
