package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/county/backup"
	"gatehouse/gateway/progress"
)

// printRestored says what was restored, the authority alone or all, and what is to be done now.
func printRestored(w io.Writer, form *output, done backup.Restored, authority bool) error {
	next, what := nextSteps(done), "county"
	if authority {
		what, next = "authority of", []string{"Start the collector again: systemctl restart gatehouse-collect."}
	}
	if form.is(asJSON) {
		return writeJSON(w, struct {
			County    string            `json:"county"`
			Made      time.Time         `json:"made"`
			Dir       string            `json:"dir"`
			Config    string            `json:"config"`
			Aside     map[string]string `json:"aside"`
			Elsewhere map[string]string `json:"elsewhere"`
			Next      []string          `json:"next"`
		}{done.County, done.Made, done.Dir, done.Config, done.Aside, done.Elsewhere, next})
	}
	made := done.Made.UTC().Format(time.RFC3339)
	fmt.Fprintf(w, "The %s %s of %s is back in %s.\n", what, done.County, made, done.Dir)
	for _, path := range slices.Sorted(maps.Keys(done.Aside)) {
		fmt.Fprintf(w, "What was in %s is now in %s.\n", path, done.Aside[path])
	}
	fmt.Fprintln(w, "\nNow:")
	for i, line := range next {
		fmt.Fprintf(w, "%2d. %s\n", i+1, line)
	}
	return nil
}

// writeJSON writes one document.
func writeJSON[T any](w io.Writer, v T) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(v)
}

// nextSteps says what is to be done after a restore.
func nextSteps(done backup.Restored) (list []string) {
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	for _, path := range slices.Sorted(maps.Keys(done.Elsewhere)) {
		add("Put %s to %s: the configuration looks for it there.", done.Elsewhere[path], path)
	}
	if len(done.Nobody) > 0 {
		add("This computer has no account %s: give the files in %s and %s to the one that runs the collector (chown).",
			strings.Join(done.Nobody, ", "), done.Dir, filepath.Dir(done.Config))
	}
	if done.Dir != done.Paths.County {
		add("In %s write dir: %s.", done.Config, done.Dir)
	}
	if now, was := filepath.Dir(done.Config), filepath.Dir(done.Paths.Config); now != was {
		add("In %s write %s instead of %s where it stands in a path.", done.Config, now, was)
	}
	if !done.Authority {
		add("Bring back the copy of the authority's folder (ca_dir, it was %s). Without it gates deliver, and "+
			"none can be put into service. gatehouse restore FILE --only-authority takes it from a backup that was "+
			"made with --with-authority. If it is lost for good, start once with gatehouse collect --new-authority.",
			done.Paths.Authority)
	}
	if done.Influx != "" {
		add("Bring InfluxDB back by its own tool from %s: before the collector is started.", done.Influx)
	}
	if !strings.Contains(done.Telemetry, "gatehouse.db") && done.Influx == "" {
		add("The records are not in the backup: they are %s. If InfluxDB is lost, too, gates send again what they "+
			"hold. If it is restored from an own backup that is older than this one, start once with gatehouse "+
			"collect --rewind-since and its time.", strings.TrimSuffix(done.Telemetry, ": not in this backup"))
	}
	if host := hostName(); host != done.Host {
		add("This computer is %s, the backup was made on %s: gates and browsers must reach it by the names and "+
			"addresses of before (DNS, addresses in agent.yaml, enrol.urls, certificates of broker and desk).",
			host, done.Host)
	}
	add("Start the collector: systemctl enable --now gatehouse-collect, or gatehouse collect --config %s. Gates send "+
		"again what they hold and the backup lacks.", done.Config)
	add("At the desk: all have to log in again. Disable again who was disabled since %s, revoke tokens that were, and "+
		"give gates that were enrolled since then a new code.", done.Made.UTC().Format("2006-01-02 15:04 UTC"))
	add("gatehouse audit verify will say that entries since then are missing, which is right: note when and why.")
	add("What was erased or has expired since then is back: run gatehouse end finish again where that was done; " +
		"retention: removes the rest by itself.")
	return list
}

// steps shows the steps of long work, a bar each. Its methods are for one goroutine.
type steps struct {
	w    io.Writer
	name string
	bar  progress.Bar
}

// tell shows how far a step is, in bytes.
func (s *steps) tell(step string, done, all int64) {
	if s.bar == nil || step != s.name {
		s.end()
		s.name, s.bar = step, progress.New(s.w, step, all, progress.Bytes)
	}
	s.bar.Set(done)
}

// end removes the bar.
func (s *steps) end() {
	if s.bar != nil {
		s.bar.End()
		s.bar = nil
	}
}
