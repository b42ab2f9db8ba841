package feed

import (
	"fmt"
	"strings"

	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/term"
)

// StatusHeader names the cells of StatusRow.
func StatusHeader() []string {
	return []string{"AGENT", "STATE", "LAST BEAT", "BACKLOG", "OLDEST SINCE", "DISK FULL IN", "DEVICES"}
}

// StatusRow returns the cells of an agent's row of the status table.
func StatusRow(a presence.Agent) []string {
	age, backlog := "–", "?"
	if a.BeatAge != nil {
		age = fmt.Sprintf("%.0f s", *a.BeatAge)
	}
	switch {
	case a.Backlog != nil && a.State == fact.Online:
		backlog = fmt.Sprint(*a.Backlog)
	case a.Backlog != nil:
		backlog = fmt.Sprintf("≥ %d", *a.Backlog) // more may wait by now
	}
	var devices []string
	for _, d := range a.Devices {
		devices = append(devices, d.Name+" "+string(d.State))
	}
	since, full := "–", "–"
	if a.Oldest != nil {
		since = a.Oldest.Local().Format("01-02 15:04:05")
	}
	if a.FullInH != nil {
		full = fmt.Sprintf("%d h", *a.FullInH)
		if *a.FullInH > 999 {
			full = "> 999 h"
		}
	}
	return []string{a.Agent, string(a.State), age, backlog, since, full, term.Clean(strings.Join(devices, ", "))}
}
