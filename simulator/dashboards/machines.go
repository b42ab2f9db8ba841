package dashboards

func machines() board {
	return board{id: "machines", zh: "消杀设备", en: "Machines", from: "now-7d",
		about:  "无人机与雾炮车的作业、用药和证据。Runs of drones and fogging machines, litres, evidence.",
		panels: append(machinesNow(), machinesRuns()...)}
}

func machinesNow() []chart {
	return []chart{
		{zh: "设备状态", en: "Machines by state", kind: gauges, w: 8, h: 7, noValue: none,
			prom: []ask{{`gatehouse_machines`, "{{state}}"}}},
		{zh: "设备状态（历史）", en: "Machines by state over time", kind: lines, w: 8, h: 7, noValue: none,
			prom: []ask{{`gatehouse_machines`, "{{state}}"}}},
		{zh: "作业告警", en: "Alerts about runs and machines", kind: gauges, w: 8, h: 7, noValue: unknown,
			steps: rising(1),
			prom:  []ask{{`gatehouse_alerts_open{type=~"run-.*|machine-.*"}`, "{{type}}"}}},
	}
}

// eachRun is the last record of each run, in Flux: a run is written again when it changes.
const eachRun = `  |> pivot(rowKey: ["_time", "agent", "outcome"], columnKey: ["_field"], valueColumn: "_value")
  |> group(columns: ["machine", "run"])
  |> sort(columns: ["seq"])
  |> tail(n: 1)
`

func machinesRuns() []chart {
	return []chart{
		{zh: "作业记录", en: "Runs", kind: table, w: 24, h: 10, noValue: none,
			about: "outcome 是证据等级，单位：升、米、秒。outcome is the grade; litres, metres, seconds.",
			influxql: `SELECT "machine", "run", "outcome", "meter_l", "flow_l", "tank_l", "distance_m", "flow_s" ` +
				`FROM "disinfection_run" WHERE "state" = 'closed' AND $timeFilter ORDER BY time DESC LIMIT 500`,
			flux: points("disinfection_run", "", "seq", "machine", "run", "state", "meter_l", "flow_l", "tank_l",
				"distance_m", "flow_s") + eachRun + `  |> group()
  |> filter(fn: (r) => r.state == "closed")
  |> sort(columns: ["_time"], desc: true)
  |> limit(n: 500)
  |> keep(columns: ["_time", "machine", "run", "outcome", "meter_l", "flow_l", "tank_l", "distance_m", "flow_s"])
`},
		{zh: "作业次数（按等级）", en: "Runs by grade", kind: table, w: 8, h: 8, noValue: none,
			influxql: `SELECT count("seq") FROM "disinfection_run" WHERE "state" = 'closed' AND $timeFilter ` +
				`GROUP BY "outcome"`,
			flux: points("disinfection_run", "", "seq", "machine", "run", "state") + eachRun + `  |> group()
  |> filter(fn: (r) => r.state == "closed")
  |> map(fn: (r) => ({outcome: r.outcome, _value: r.seq}))
` + counted("outcome")},
		{zh: "每日用药量（升）", en: "Litres by day", kind: bars, w: 16, h: 8, unit: "litre", noValue: none,
			label: "agent", influxql: `SELECT sum("meter_l") FROM "disinfection_run" WHERE "state" = 'closed' ` +
				`AND $timeFilter GROUP BY time(1d), "agent" fill(none) tz('Asia/Shanghai')`,
			flux: points("disinfection_run", "", "seq", "machine", "run", "state", "meter_l") + eachRun +
				`  |> filter(fn: (r) => r.state == "closed" and exists r.meter_l)
  |> group(columns: ["agent"])
  |> sort(columns: ["_time"])
  |> map(fn: (r) => ({_time: r._time, agent: r.agent, _value: r.meter_l}))
  |> window(every: 1d, offset: -8h, timeColumn: "_time")
  |> sum()
  |> duplicate(column: "_start", as: "_time")
  |> group(columns: ["agent"])
  |> keep(columns: ["_time", "_value", "agent"])
`},
		track("药箱", "Tank", "tank_pct", "percent"),
		track("流量", "Flow", "flow_lpm", "flowlpm"),
		track("电池", "Battery", "battery_pct", "percent"),
	}
}

// track returns a panel of a field of the machines' tracks; which machine a point is about
// is a field, too.
func track(zh, en, field, unit string) chart {
	return chart{zh: zh, en: en, kind: lines, w: 8, h: 8, unit: unit, noValue: none, label: "machine", split: byMachine,
		influxql: `SELECT "` + field + `", "machine" FROM "machine_track" WHERE $timeFilter`,
		flux: points("machine_track", "", "machine", field) +
			`  |> pivot(rowKey: ["_time", "agent", "outcome"], columnKey: ["_field"], valueColumn: "_value")
  |> filter(fn: (r) => exists r.` + field + `)
  |> group(columns: ["machine"])
  |> map(fn: (r) => ({_time: r._time, machine: r.machine, _value: r.` + field + `}))
`}
}
