package fleet

import (
	"slices"

	"gatehouse/gateway/site"
)

// Machines returns the county's machines: four drones, four fogging trucks that
// are connected through a bridge, and two machines that publish by themselves.
// Their missions are at compounds, roads, expressway exits and public toilets.
func Machines(sites *site.County) []Spec {
	c := sites.Compounds()
	at := func(i int) site.Compound { return c[i%len(c)] }
	return slices.Concat(drones(at), trucks(at, at(len(c) - 1).Polygon[0]), reporters())
}

func drones(at func(int) site.Compound) []Spec {
	return []Spec{
		{
			ID:       "drone-1",
			Name:     "1号无人机",
			Type:     "drone",
			Operator: "飞防一组",
			Language: MAVLinkUDP,
			TankL:    16,
			FlowLPM:  6,
			Speed:    5,
			Mission:  swaths(at(20)),
			Grade:    "proven",
		},
		{
			ID:       "drone-2",
			Name:     "2号无人机",
			Type:     "drone",
			Operator: "飞防一组",
			Language: MAVLinkUDP,
			TankL:    16,
			FlowLPM:  6,
			Speed:    5,
			Mission:  swaths(at(37)),
			Fault:    FaultDry,
			Grade:    "dry",
		},
		{
			ID:       "drone-3",
			Name:     "3号无人机",
			Type:     "drone",
			Operator: "飞防二组",
			Language: MAVLinkSerial,
			TankL:    16,
			FlowLPM:  6.5,
			Speed:    5,
			Mission:  swaths(at(70)),
			Fault:    FaultGap,
			Grade:    "proven",
		},
		{
			ID:           "drone-4",
			Name:         "4号无人机",
			Type:         "drone",
			Operator:     "飞防二组",
			Language:     MAVLinkSerial,
			FlowLPM:      6,
			Speed:        5,
			NoFlowSensor: true,
			Mission:      swaths(at(101)),
			Fault:        FaultDrift,
			Grade:        "unproven",
		},
	}
}

func trucks(at func(int) site.Compound, exit site.Point) []Spec {
	return []Spec{
		{
			ID:       "fogger-1",
			Name:     "1号雾炮车",
			Type:     "fogger",
			Operator: "消杀一队",
			Language: PLC,
			TankL:    20,
			FlowLPM:  9,
			Speed:    3,
			Mission:  road(at(3), at(5)),
			Grade:    "proven",
		},
		{
			ID:       "fogger-2",
			Name:     "2号雾炮车",
			Type:     "fogger",
			Operator: "消杀一队",
			Language: PLC,
			TankL:    20,
			FlowLPM:  9,
			Speed:    2,
			Mission:  spot(35.9031, 115.1135, 40),
			Fault:    FaultLeak,
			Grade:    "leak",
		},
		{
			ID:       "fogger-3",
			Name:     "3号雾炮车",
			Type:     "fogger",
			Operator: "消杀二队",
			Language: VFD,
			FlowLPM:  12,
			Speed:    3,
			Mission:  spot(exit[1]+0.004, exit[0]+0.004, 120),
			Fault:    FaultCut,
			Grade:    "measured",
		},
		{
			ID:       "fogger-4",
			Name:     "4号雾炮车",
			Type:     "fogger",
			Operator: "消杀二队",
			Language: PLC,
			TankL:    20,
			FlowLPM:  9,
			Speed:    3,
			Mission:  road(at(120), at(122)),
			Fault:    FaultStuck,
			Grade:    "disputed",
		},
	}
}

func reporters() []Spec {
	return []Spec{
		{
			ID:       "fogger-8",
			Name:     "8号智能喷雾机",
			Type:     "fogger",
			Operator: "消杀三队",
			Language: JSON,
			TankL:    20,
			FlowLPM:  8,
			Speed:    1.5,
			Mission:  spot(35.8984, 115.1022, 30),
			Fault:    FaultClock,
			Grade:    "proven",
		},
		{
			ID:       "fogger-9",
			Name:     "9号喷雾器",
			Type:     "fogger",
			Operator: "消杀三队",
			Language: Tasmota,
			FlowLPM:  5,
			Speed:    1.5,
			Mission:  spot(35.8955, 115.1201, 30),
			Grade:    "measured",
		},
	}
}
