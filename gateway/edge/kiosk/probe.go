package kiosk

import (
	"gatehouse/gateway/fact"
	"gatehouse/gateway/probe"
	"gatehouse/gateway/wire"
)

// Ready implements probe.Prober: a gate is ready when it can judge people and
// keep records of it.
func (k *Kiosk) Ready() probe.Ready {
	k.mu.Lock()
	defer k.mu.Unlock()
	var r probe.Ready
	now := k.opts.Clock.Now()
	for _, t := range k.screen.status.Troubles(now) {
		r.Add(t)
	}
	if pages, silent := k.living(now); pages == 0 {
		r.Add(wire.Trouble{Kind: fact.TroubleNoPage, Text: "no page shows the guard's screen"})
	} else if silent > 0 {
		r.Add(wire.Trouble{Kind: fact.TroubleSilentPage,
			Text: "a page may not sound: start the browser with --autoplay-policy=no-user-gesture-required"})
	}
	return r
}

// Metrics implements probe.Prober.
func (k *Kiosk) Metrics() []probe.Metric {
	k.mu.Lock()
	defer k.mu.Unlock()
	st := k.screen.status
	verdicts, devs := map[string]float64{}, map[string]float64{}
	for v, n := range k.counts {
		verdicts[v] = n
	}
	for _, d := range st.Devices {
		devs[d.Name] = truth(d.State == fact.DeviceOK)
	}
	one := func(v float64) map[string]float64 { return map[string]float64{"": v} }
	full := map[string]float64{}
	if st.FullIn > 0 {
		full[""] = st.FullIn.Seconds()
	}
	return []probe.Metric{
		{Name: "gatehouse_passages_total", Help: "Verdicts since the agent started.", Counter: true, Label: "verdict",
			Value: verdicts},
		{Name: "gatehouse_device_up", Help: "1 while the device works.", Label: "device", Value: devs},
		{Name: "gatehouse_journal_pending_records", Help: "Records that the county has not acknowledged.",
			Value: one(float64(st.Pending))},
		{Name: "gatehouse_journal_full_in_seconds",
			Help: "Until the disk is full if nothing is acknowledged; no sample: not known.", Value: full},
		{Name: "gatehouse_county_up", Help: "1 while the county answers and what is sent arrives.",
			Value: one(truth(k.screen.delivers))},
		{Name: "gatehouse_kiosk_pages", Help: "Pages that show the guard's screen.",
			Value: one(float64(k.hub.Pages()))},
		{Name: "gatehouse_alarms_waiting", Help: "Alarms that the guard has not answered.",
			Value: one(float64(len(k.screen.reds)))},
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
