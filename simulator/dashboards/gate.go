package dashboards

func gate() board {
	return board{id: "gate", zh: "门岗", en: "Gate", from: "now-6h",
		about: "一个门岗的通行、测温、设备与上传。One gate: who passes, temperatures, devices, delivery.",
		vars: []choice{{name: "gate", label: "门岗 Gate", measurement: "gate_event", tag: "agent",
			metric: "gatehouse_gate_up", promLabel: "agent"}},
		panels: append(gateNow(), gateHistory()...)}
}

func gateNow() []chart {
	up := yesNo("在线 up", "失联 down")
	return []chart{
		single("在线", "Up", `gatehouse_gate_up{agent=~"$gate"}`, "从未收到 never heard", good()).as(up),
		single("上传", "Delivers", `gatehouse_gate_delivers{agent=~"$gate"}`, unknown, good()).as(
			yesNo("正常 yes", "受阻 held up")),
		single("最近心跳", "Last heartbeat", `time() - gatehouse_gate_heartbeat_timestamp_seconds{agent=~"$gate"}`,
			unknown, rising(15, 25)).in("s"),
		single("待上传记录", "Records waiting", `gatehouse_gate_backlog_records{agent=~"$gate"}`, unknown,
			rising(100, 10000)),
		single("故障设备", "Devices broken", `gatehouse_gate_devices_broken{agent=~"$gate"}`, unknown, rising(1)),
		single("时钟偏差", "Clock offset", `gatehouse_gate_clock_offset_seconds{agent=~"$gate"}`, unknown,
			nil).in("s"),
		{zh: "在线情况", en: "Up or down", kind: states, w: 24, h: 4, noValue: unknown, steps: good(),
			words: up, prom: []ask{{`gatehouse_gate_up{agent=~"$gate"}`, "{{agent}}"}}},
		{zh: "待上传记录", en: "Records waiting", kind: lines, w: 24, h: 6, noValue: unknown,
			prom: []ask{{`gatehouse_gate_backlog_records{agent=~"$gate"}`, "{{agent}}"}}},
	}
}

func gateHistory() []chart {
	return []chart{
		{zh: "通行（按判定）", en: "Passages by verdict", kind: bars, w: 12, h: 8, noValue: none, label: "outcome",
			influxql: `SELECT count("seq") FROM "gate_event" WHERE ` + gateQL +
				` AND $timeFilter GROUP BY time($__interval), "outcome" fill(none)`,
			flux: points("gate_event", gateFlux, "seq") + each("count", "outcome")},
		{zh: "体温（平均、最低、最高）", en: "Screening temperature: mean, lowest, highest", kind: lines, w: 12, h: 8,
			unit: "celsius", noValue: none,
			influxql: spreadQL("temperature_screening", gateQL, "screening_c"),
			flux:     spread("temperature_screening", gateFlux, "screening_c")},
		{zh: "环境温度", en: "Ambient temperature", kind: lines, w: 12, h: 8, unit: "celsius", noValue: none,
			label: "agent", influxql: `SELECT mean("ambient_c") FROM "temperature_screening" WHERE ` + gateQL +
				` AND $timeFilter GROUP BY time($__interval), "agent" fill(none)`,
			flux: points("temperature_screening", gateFlux, "ambient_c") + each("mean", "agent")},
		{zh: "读数到判定的最长用时", en: "Longest time from reading to verdict", kind: lines, w: 12, h: 8, unit: "µs",
			noValue: none, label: "agent",
			influxql: `SELECT max("latency_us") FROM "gate_event" WHERE ` + gateQL +
				` AND $timeFilter GROUP BY time($__interval), "agent" fill(none)`,
			flux: points("gate_event", gateFlux, "latency_us") + each("max", "agent")},
		{zh: "设备事件", en: "What devices reported", kind: table, w: 12, h: 8, noValue: none,
			influxql: `SELECT "device", "outcome", "detail", "agent" FROM "device_health" WHERE ` + gateQL +
				` AND $timeFilter ORDER BY time DESC LIMIT 200`,
			flux: points("device_health", gateFlux, "device", "detail") +
				rows(200, "device", "outcome", "detail", "agent")},
		{zh: "告警", en: "Alarms", kind: table, w: 12, h: 8, noValue: none,
			influxql: `SELECT "type", "outcome", "device", "detail", "agent" FROM "alarm" WHERE ` + gateQL +
				` AND $timeFilter ORDER BY time DESC LIMIT 200`,
			flux: points("alarm", gateFlux, "type", "device", "detail") +
				rows(200, "type", "outcome", "device", "detail", "agent")},
		{zh: "值守员操作", en: "What the guard did", kind: bars, w: 12, h: 8, noValue: none, label: "outcome",
			influxql: `SELECT count("seq") FROM "audit" WHERE ` + gateQL +
				` AND $timeFilter GROUP BY time($__interval), "outcome" fill(none)`,
			flux: points("audit", gateFlux, "seq") + each("count", "outcome")},
		{zh: "测温仪核查", en: "Thermometer checks", kind: table, w: 12, h: 8, noValue: none,
			influxql: `SELECT "device", "outcome", "pairs", "mean_error_c", "spread_c", "proposed_offset_c" ` +
				`FROM "thermometer_check" WHERE ` + gateQL + ` AND $timeFilter ORDER BY time DESC LIMIT 50`,
			flux: points("thermometer_check", gateFlux, "device", "pairs", "mean_error_c", "spread_c",
				"proposed_offset_c") +
				rows(50, "device", "outcome", "pairs", "mean_error_c", "spread_c", "proposed_offset_c")},
	}
}
