package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"gatehouse/gateway/edge/agent"
	"gatehouse/gateway/edge/bridge"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/progress"
	"gatehouse/gateway/wire"
)

// replayLog prints the tracks and runs of a recording as JSON lines.
func replayLog(c *cobra.Command, cfg agent.Config, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open the recording: %w", err)
	}
	defer f.Close()
	size := int64(0)
	if info, err := f.Stat(); err == nil {
		size = info.Size()
	}
	bar := barBeside(c, c.OutOrStdout(), "replay", size, progress.Bytes)
	defer bar.End()
	notes, out := progress.Writer(c.ErrOrStderr(), bar), json.NewEncoder(c.OutOrStdout())
	var failed error
	points, done := 0, 0
	skipped, err := bridge.Replay(cfg.Bridge, progress.Reader(f, bar), func(b wire.Body) {
		switch b := b.(type) {
		case *wire.Track:
			points += len(b.Points)
		case *wire.Run:
			if b.State == fact.RunClosed {
				done++
			}
		}
		if failed == nil {
			failed = out.Encode(struct {
				Kind wire.Kind `json:"kind"`
				Body wire.Body `json:"body"`
			}{b.Kind(), b})
		}
	}, func(text string) { fmt.Fprintln(notes, text) })
	bar.End()
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOrStderr(), "%s: %d samples kept, %d runs, %d damaged bytes skipped\n",
		path, points, done, skipped)
	return nil
}
