package fleet

import "gatehouse/gateway/site"

// Peers returns machines that misbehave as real ones do: counters that step back
// or flicker, reports that come late or twice, wrong clocks, a machine that dies
// and leaves a retained report, a relay that speaks only at its changes.
func Peers(sites *site.County) []Spec {
	c := sites.Compounds()
	peer := func(id, name string, language Language, fault Fault, lat, lon float64) Spec {
		return Spec{
			ID:       id,
			Name:     name,
			Type:     "fogger",
			Operator: "消杀四队",
			Language: language,
			FlowLPM:  8,
			Speed:    1.5,
			Mission:  spot(lat, lon, 60),
			Fault:    fault,
			Grade:    "measured",
		}
	}
	relay := peer("fogger-17", "17号继电器", Relay, FaultNone, 35.8975, 115.1105)
	relay.NoFlowSensor, relay.Grade = true, "unproven"
	return []Spec{
		{
			ID:       "drone-5",
			Name:     "5号无人机",
			Type:     "drone",
			Operator: "飞防三组",
			Language: MAVLinkUDP,
			TankL:    16,
			FlowLPM:  6,
			Speed:    5,
			Mission:  swaths(c[150%len(c)]),
			Fault:    FaultHome,
			Grade:    "proven",
		},
		peer("fogger-10", "10号雾炮车", PLC, FaultFlicker, 35.9101, 115.1012),
		peer("fogger-11", "11号喷雾机", JSON, FaultBack, 35.9092, 115.1031),
		peer("fogger-12", "12号喷雾机", JSON, FaultFlicker, 35.9083, 115.1052),
		peer("fogger-13", "13号喷雾机", JSON, FaultLate, 35.9074, 115.1073),
		peer("fogger-14", "14号喷雾机", JSON, FaultRepeat, 35.9065, 115.1094),
		peer("fogger-15", "15号喷雾机", JSON, FaultSlow, 35.9056, 115.1015),
		peer("fogger-16", "16号喷雾机", JSON, FaultDies, 35.9047, 115.1036),
		relay,
	}
}
