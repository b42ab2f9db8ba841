package dashboards

func county() board {
	return board{id: "county", zh: "县域总览", en: "County", from: "now-24h",
		about: "全县门岗与通行一览。The county's gates and who passes.",
		vars: []choice{{name: "community", label: "社区 Community", measurement: "gate_event", tag: "community",
			many: true, withoutPrometheusOnly: true}},
		panels: append(countyNow(), countyPassages()...)}
}

func countyNow() []chart {
	ready := single("县中心", "County", `gatehouse_ready`, unknown, good()).as(yesNo("正常 ready", "故障 problem"))
	return []chart{
		ready,
		single("在线门岗", "Gates online", `gatehouse_gates{state="online"}`, unknown, nil),
		single("失联门岗", "Gates not heard", `sum(gatehouse_gates{state=~"offline|silent"})`, unknown,
			rising(1, 5)),
		single("未确认发热", "Fevers open", `sum(gatehouse_alerts_open{type=~"fever|fever-confirmed"})`, unknown,
			rising(1)),
		single("未结告警", "Alerts open", `sum(gatehouse_alerts_open)`, unknown, rising(1, 20)),
		single("待上传记录", "Records waiting", `gatehouse_backlog_records`, unknown, rising(1000, 100000)),
		{zh: "本小时通行", en: "Passages this hour", kind: gauges, w: 8, h: 7, noValue: unknown,
			prom: []ask{{`gatehouse_passages_this_hour`, "{{verdict}}"}}},
		{zh: "门岗状态", en: "Gates by state", kind: gauges, w: 8, h: 7, noValue: unknown,
			prom: []ask{{`gatehouse_gates`, "{{state}}"}}},
		{zh: "未结告警类别", en: "Open alerts by type", kind: gauges, w: 8, h: 7, noValue: none, steps: rising(1, 10),
			prom: []ask{{`sort_desc(gatehouse_alerts_open > 0)`, "{{type}}"}}},
	}
}

func countyPassages() []chart {
	return []chart{
		{zh: "通行（按判定）", en: "Passages by verdict", kind: bars, w: 12, h: 8, noValue: none, label: "outcome",
			influxql: `SELECT count("seq") FROM "gate_event" WHERE ` + placeQL +
				` AND $timeFilter GROUP BY time($__interval), "outcome" fill(none)`,
			flux: points("gate_event", placeFlux, "seq") + each("count", "outcome")},
		{zh: "体温（平均、最低、最高）", en: "Screening temperature: mean, lowest, highest", kind: lines, w: 12, h: 8,
			unit: "celsius", noValue: none,
			influxql: spreadQL("gate_event", placeQL, "screening_c"),
			flux:     spread("gate_event", placeFlux, "screening_c")},
		{zh: "发热记录", en: "Fevers", kind: table, w: 12, h: 8, unit: "", noValue: none,
			about: "最近 200 条。The last 200.",
			influxql: `SELECT "screening_c", "ambient_c", "reason", "agent", "compound" FROM "gate_event" ` +
				`WHERE "outcome" = 'fever' AND ` + placeQL + ` AND $timeFilter ORDER BY time DESC LIMIT 200`,
			flux: points("gate_event", `r.outcome == "fever" and `+placeFlux, "screening_c", "ambient_c", "reason") +
				rows(200, "screening_c", "ambient_c", "reason", "agent", "compound")},
		{zh: "告警（按类型）", en: "Alarms raised by type", kind: bars, w: 12, h: 8, noValue: none, label: "alarm",
			about: "门岗自己发出的告警。Those that gates raise.",
			influxql: `SELECT count("seq") FROM "alarm" WHERE "outcome" = 'raised' AND ` + placeQL +
				` AND $timeFilter GROUP BY time($__interval), "alarm" fill(none)`,
			flux: points("alarm", `r.outcome == "raised" and `+placeFlux, "seq") + each("count", "alarm")},
		{zh: "各小区通行次数", en: "Passages by compound", kind: table, w: 12, h: 9, noValue: none,
			influxql: `SELECT count("seq") FROM "gate_event" WHERE ` + placeQL +
				` AND $timeFilter GROUP BY "compound", "outcome"`,
			flux: points("gate_event", placeFlux, "seq") + counted("compound", "outcome")},
		{zh: "各门岗平均体温", en: "Mean temperature by gate", kind: table, w: 12, h: 9, unit: "", noValue: none,
			about: "偏离其他门岗的，修正值可能有误。A gate apart from the others may have a wrong offset.",
			influxql: `SELECT mean("screening_c"), count("screening_c") FROM "temperature_screening" WHERE ` + placeQL +
				` AND $timeFilter GROUP BY "agent", "compound"`,
			flux: points("temperature_screening", placeFlux, "screening_c") +
				"  |> group(columns: [\"agent\", \"compound\"])\n" +
				"  |> reduce(identity: {n: 0, sum: 0.0}, fn: (r, accumulator) => ({n: accumulator.n + 1, " +
				"sum: accumulator.sum + r._value}))\n" +
				"  |> map(fn: (r) => ({agent: r.agent, compound: r.compound, mean: r.sum / float(v: r.n), " +
				"count: r.n}))\n" +
				"  |> group()\n"},
	}
}
