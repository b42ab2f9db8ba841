package dashboards

func delivery() board {
	return board{id: "delivery", zh: "上传与入库", en: "Delivery", from: "now-6h",
		about:  "记录从门岗到入库：快慢、积压、丢失。From the gates to the store: how fast, what waits, what is lost.",
		panels: append(append(deliveryNow(), deliveryTimes()...), deliveryGates()...)}
}

func deliveryNow() []chart {
	return []chart{
		single("距上次入库", "Since the last commit", `time() - gatehouse_last_commit_timestamp_seconds`,
			"启动后尚无 none since the start", rising(60, 600)).in("s"),
		single("待上传记录", "Records waiting", `gatehouse_backlog_records`, unknown, rising(1000, 100000)),
		single("每小时入库失败", "Commits refused, 1 h", `increase(gatehouse_commit_failures_total[1h])`, unknown,
			rising(1)),
		single("隔离区", "In quarantine", `gatehouse_quarantined_messages`, unknown, rising(1)),
		single("缺失记录", "Records lost", `gatehouse_lost_records`, unknown, rising(1)),
		single("拒收消息", "Messages refused", `gatehouse_refused_messages`, unknown, rising(1)),
	}
}

func deliveryTimes() []chart {
	quantiles := func(metric string) []ask {
		return []ask{
			{`histogram_quantile(0.5, rate(` + metric + `_bucket[5m]))`, "50 %"},
			{`histogram_quantile(0.95, rate(` + metric + `_bucket[5m]))`, "95 %"},
			{`histogram_quantile(0.99, rate(` + metric + `_bucket[5m]))`, "99 %"},
		}
	}
	return []chart{
		{zh: "每秒入库记录", en: "Records stored a second", kind: lines, w: 8, h: 8, unit: "cps", noValue: unknown,
			prom: []ask{{`rate(gatehouse_committed_records_total[5m])`, "记录 records"}}},
		{zh: "入库用时", en: "How long commits take", kind: lines, w: 8, h: 8, unit: "s", noValue: none,
			prom: quantiles("gatehouse_commit_duration_seconds")},
		{zh: "入库时记录的时长", en: "Age of records when stored", kind: lines, w: 8, h: 8, unit: "s", noValue: none,
			about: "按门岗时钟；门岗断网后补传会使其变大。By the gates' clocks; a gate that catches up raises it.",
			prom:  quantiles("gatehouse_record_age_seconds")},
		{zh: "门岗状态", en: "Gates by state", kind: lines, w: 12, h: 8, noValue: unknown,
			prom: []ask{{`gatehouse_gates`, "{{state}}"}}},
		{zh: "问题与提醒", en: "Problems and warnings", kind: table, w: 12, h: 8, noValue: none,
			about: "代码的含义见 HEALTH.md。HEALTH.md explains the codes.",
			prom:  []ask{{`gatehouse_problem == 1 or gatehouse_warning == 1`, "{{kind}}"}}},
	}
}

func deliveryGates() []chart {
	top := func(zh, en, unit, expr, absent string, steps []step) chart {
		return chart{zh: zh, en: en, kind: gauges, w: 8, h: 9, unit: unit, noValue: absent, steps: steps,
			prom: []ask{{expr, "{{agent}}"}}}
	}
	return []chart{
		top("积压最多的门岗", "Most records waiting", "", `topk(10, gatehouse_gate_backlog_records)`, unknown,
			rising(100, 10000)),
		top("最久未上传的记录", "Oldest record that waits", "s",
			`topk(10, time() - gatehouse_gate_oldest_record_timestamp_seconds)`, none, rising(60, 3600)),
		top("最久未收到心跳", "Oldest heartbeats", "s",
			`topk(10, time() - gatehouse_gate_heartbeat_timestamp_seconds)`, unknown, rising(15, 25)),
		top("时钟偏差最大", "Clocks most apart", "s", `topk(10, abs(gatehouse_gate_clock_offset_seconds))`, unknown,
			rising(5, 60)),
		top("最先满的磁盘", "Disks full soonest", "s", `bottomk(10, gatehouse_gate_disk_full_seconds)`, unknown, nil),
		{zh: "县中心内存与打开的文件", en: "Memory and open files of the collector", kind: lines, w: 8, h: 9,
			noValue: unknown, prom: []ask{{`process_resident_memory_bytes{job="gatehouse"}`, "内存 memory (B)"},
				{`process_open_fds{job="gatehouse"}`, "文件 files"}}},
	}
}
