package desk

import (
	"context"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/county/presence"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/probe"
)

// mostStrangers bounds the agents that the site file does not list and that have
// metrics of their own: whoever invents names must not fill the monitoring.
const mostStrangers = 32

// Metrics implements probe.Prober. deploy/MONITORING.md lists them; what is not known
// has no sample.
func (d *Desk) Metrics() []probe.Metric {
	s := d.lastSeen()
	out := append(d.countyMetrics(s), d.opts.Commits.Metrics()...)
	if s.at.IsZero() {
		return out
	}
	return append(append(out, ofStates(s)...), ofGates(d.shownAgents(s.agents))...)
}

// countyMetrics returns what the county's own side knows of itself.
func (d *Desk) countyMetrics(s seen) []probe.Metric {
	one := probe.One
	quarantined, lost := d.followers.refused.Lost()
	out := []probe.Metric{
		d.openAlerts(),
		one("gatehouse_quarantined_messages", "What could not be stored.", float64(quarantined)),
		one("gatehouse_refused_messages", "Messages of agents that were not taken: see the alerts.",
			float64(d.followers.refused.Messages())),
		one("gatehouse_lost_records", "Records that holes stand for.", float64(lost)),
		one("gatehouse_desk_pages", "Pages that show the desk.", float64(d.Hub.Pages())),
	}
	if s.centre.Stored != nil {
		out = append(out, one("gatehouse_last_commit_timestamp_seconds", "When the store last took something.",
			float64(s.centre.Stored.Unix())))
	}
	problems, warnings := map[string]float64{}, map[string]float64{}
	for _, t := range d.opts.Health.Troubles(d.opts.Now()) {
		if t.Problem {
			problems[string(t.Kind)] = 1
		} else {
			warnings[string(t.Kind)] = 1
		}
	}
	ready := 1.0
	if len(problems) > 0 {
		ready = 0
	}
	return append(out,
		one("gatehouse_ready", "1 while the county receives, stores and shows what comes, as /readyz says.", ready),
		probe.Metric{Name: "gatehouse_problem", Help: "1 for each problem that holds, by its code (HEALTH.md).",
			Label: "kind", Value: problems},
		probe.Metric{Name: "gatehouse_warning", Help: "1 for each warning that holds, by its code (HEALTH.md).",
			Label: "kind", Value: warnings})
}

// openAlerts returns the open alerts of each type of the catalogue; it has no sample
// when they can't be counted.
func (d *Desk) openAlerts() probe.Metric {
	m := probe.Metric{Name: "gatehouse_alerts_open", Label: "type",
		Help: "Alerts that hold, or that nobody has acknowledged, by type."}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	open, err := d.Alerts.Open(ctx)
	if err != nil {
		d.opts.Log.Warn("count alerts for a probe", "err", err)
		return m
	}
	m.Value = map[string]float64{}
	for _, a := range fact.Alarms() {
		m.Value[string(a.Type)] = 0
	}
	for kind, n := range open {
		if !kind.Known() {
			kind = "other"
		}
		m.Value[string(kind)] += float64(n)
	}
	return m
}

// ofStates counts gates, machines and passages by what they are.
func ofStates(s seen) []probe.Metric {
	gates := map[string]float64{}
	for _, state := range []fact.LinkState{fact.Online, fact.Offline, fact.Silent, fact.Never} {
		gates[string(state)] = 0
	}
	backlog, known := 0.0, false
	for _, a := range s.agents {
		gates[string(a.State)]++
		if a.Backlog != nil {
			backlog, known = backlog+float64(*a.Backlog), true
		}
	}
	machines, hour := map[string]float64{}, map[string]float64{}
	for state, n := range s.machines {
		machines[string(state)] = float64(n)
	}
	for _, v := range []fact.Verdict{fact.VerdictPass, fact.VerdictFever, fact.VerdictRefuse, fact.VerdictInvalid,
		fact.VerdictRetest} {
		hour[string(v)] = float64(s.hour[v])
	}
	out := []probe.Metric{
		{Name: "gatehouse_gates", Help: "Gates by state.", Label: "state", Value: gates},
		{Name: "gatehouse_machines", Help: "Machines by state.", Label: "state", Value: machines},
		{Name: "gatehouse_passages_this_hour", Help: "Passages since the hour began, by verdict.", Label: "verdict",
			Value: hour},
	}
	if known {
		out = append(out, probe.One("gatehouse_backlog_records",
			"Records that gates had not delivered at their last heartbeats.", backlog))
	}
	return out
}

// shownAgents returns the agents that have metrics of their own, which are those of the
// site file and a few others.
func (d *Desk) shownAgents(agents []presence.Agent) []presence.Agent {
	listed := map[string]bool{}
	for _, agent := range d.opts.Sites.Agents() {
		listed[agent] = true
	}
	strangers := 0
	sorted := slices.SortedFunc(slices.Values(agents), func(a, b presence.Agent) int {
		return strings.Compare(a.Agent, b.Agent)
	})
	return slices.DeleteFunc(sorted, func(a presence.Agent) bool {
		if !listed[a.Agent] {
			strangers++
		}
		return !listed[a.Agent] && strangers > mostStrangers
	})
}

// gateMetric is a metric that each gate has; of returns false where it is not known.
type gateMetric struct {
	name, help string
	of         func(presence.Agent) (v float64, known bool)
}

// ofGates returns how each gate stands, by the label agent.
func ofGates(agents []presence.Agent) []probe.Metric {
	var out []probe.Metric
	for _, m := range gateMetrics() {
		values := map[string]float64{}
		for _, a := range agents {
			if v, known := m.of(a); known {
				values[a.Agent] = v
			}
		}
		out = append(out, probe.Metric{Name: m.name, Help: m.help, Label: "agent", Value: values})
	}
	return out
}

func gateMetrics() []gateMetric {
	return []gateMetric{
		{"gatehouse_gate_up", "1 while heartbeats of the gate come; no sample: it was never heard.",
			func(a presence.Agent) (float64, bool) { return truth(a.Online()), a.State != fact.Never }},
		{"gatehouse_gate_delivers", "1 while nothing keeps the records of a gate that is up from the county.",
			func(a presence.Agent) (float64, bool) { return truth(a.Stopped() == ""), a.Online() }},
		{"gatehouse_gate_heartbeat_timestamp_seconds", "When the last heartbeat was received, by the county's clock.",
			func(a presence.Agent) (float64, bool) { return seconds(a.Heard), !a.Heard.IsZero() }},
		{"gatehouse_gate_backlog_records", "Records that were not acknowledged at the last heartbeat.",
			func(a presence.Agent) (float64, bool) {
				if a.Backlog == nil {
					return 0, false
				}
				return float64(*a.Backlog), true
			}},
		{"gatehouse_gate_oldest_record_timestamp_seconds",
			"When the oldest record was taken that was not acknowledged; no sample: none waits.",
			func(a presence.Agent) (float64, bool) {
				if a.Oldest == nil {
					return 0, false
				}
				return seconds(a.Oldest.Time), true
			}},
		{"gatehouse_gate_disk_full_seconds", "Until the gate's disk is full if nothing is acknowledged, to the hour.",
			func(a presence.Agent) (float64, bool) {
				if a.FullInH == nil {
					return 0, false
				}
				return float64(*a.FullInH) * time.Hour.Seconds(), true
			}},
		{"gatehouse_gate_clock_offset_seconds", "The gate's clock less the county's, at the last heartbeat.",
			func(a presence.Agent) (float64, bool) { return a.Skew.Seconds(), !a.Heard.IsZero() }},
		{"gatehouse_gate_devices_broken", "Devices of the gate that do not work.",
			func(a presence.Agent) (float64, bool) { return float64(broken(a)), !a.Heard.IsZero() }},
	}
}

func broken(a presence.Agent) (n int) {
	for _, dev := range a.Devices {
		if dev.State != fact.DeviceOK {
			n++
		}
	}
	return n
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1e3 }

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
