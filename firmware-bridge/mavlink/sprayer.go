package mavlink

import (
	"regexp"

	"github.com/bluenviron/gomavlib/v3/pkg/dialects/ardupilotmega"
	"github.com/bluenviron/gomavlib/v3/pkg/dialects/common"
	"github.com/bluenviron/gomavlib/v3/pkg/message"
)

const (
	doSprayer   = common.MAV_CMD(ardupilotmega.MAV_CMD_DO_SPRAYER)
	auxFunction = common.MAV_CMD(ardupilotmega.MAV_CMD_DO_AUX_FUNCTION)
	auxSprayer  = 15   // ArduPilot RCx_OPTION 15
	auxHigh     = 2    // position of a switch
	mostItems   = 1000 // of a mission that are kept
)

// sprayer is what a vehicle was last told about its sprayer. It holds until the
// opposite command, disarming, or the loss of the vehicle. It is pure.
type sprayer struct {
	asked   *bool           // by a command that the vehicle has not acknowledged
	by      common.MAV_CMD  // that command
	on      *bool           // nil: not known
	mission map[uint16]bool // DO_SPRAYER items, by their place in the mission
	current *uint16         // the mission's item that was last reported as the present one
}

// told takes a message of anybody to the vehicle.
func (s *sprayer) told(m message.Message, system uint8) {
	switch m := m.(type) {
	case *common.MessageCommandLong:
		if m.TargetSystem == system || m.TargetSystem == 0 {
			s.command(m.Command, m.Param1, m.Param2)
		}
	case *common.MessageCommandInt:
		if m.TargetSystem == system || m.TargetSystem == 0 {
			s.command(m.Command, m.Param1, m.Param2)
		}
	case *common.MessageMissionCount:
		if m.TargetSystem == system && m.MissionType == common.MAV_MISSION_TYPE_MISSION {
			s.mission = nil
		}
	case *common.MessageMissionClearAll:
		if m.TargetSystem == system && m.MissionType == common.MAV_MISSION_TYPE_MISSION {
			s.mission = nil
		}
	case *common.MessageMissionItemInt:
		if m.TargetSystem == system && m.MissionType == common.MAV_MISSION_TYPE_MISSION {
			s.item(m.Seq, m.Command, m.Param1)
		}
	case *common.MessageMissionItem:
		if m.TargetSystem == system && m.MissionType == common.MAV_MISSION_TYPE_MISSION {
			s.item(m.Seq, m.Command, m.Param1)
		}
	}
}

func (s *sprayer) command(c common.MAV_CMD, p1, p2 float32) {
	switch {
	case c == doSprayer:
		s.asked, s.by = new(p1 >= 0.5), c
	case c == auxFunction && p1 == auxSprayer:
		s.asked, s.by = new(p2 == auxHigh), c
	}
}

// item notes an item of a mission that is being written or read.
func (s *sprayer) item(seq uint16, c common.MAV_CMD, p1 float32) {
	delete(s.mission, seq)
	if c != doSprayer || len(s.mission) >= mostItems {
		return
	}
	if s.mission == nil {
		s.mission = map[uint16]bool{}
	}
	s.mission[seq] = p1 >= 0.5
}

// switched matches what ArduPilot says when a pilot moves the switch of the sprayer.
var switched = regexp.MustCompile(`^RC\d+: ?Sprayer (HIGH|MIDDLE|LOW)`)

// said takes a message of the vehicle.
func (s *sprayer) said(m message.Message) {
	switch m := m.(type) {
	case *common.MessageCommandAck:
		if s.asked != nil && m.Command == s.by && m.Result == common.MAV_RESULT_ACCEPTED {
			s.on = s.asked
		}
	case *common.MessageMissionCurrent:
		s.reached(m.Seq)
	case *common.MessageMissionItemInt:
		if m.MissionType == common.MAV_MISSION_TYPE_MISSION {
			s.item(m.Seq, m.Command, m.Param1)
		}
	case *common.MessageStatustext:
		if found := switched.FindStringSubmatch(m.Text); found != nil {
			s.on = new(found[1] == "HIGH")
		}
	}
}

// reached takes the place of the mission's present item. What stands before it and
// after the last one was executed: ArduPilot reports only items that are flown to.
func (s *sprayer) reached(seq uint16) {
	if s.current != nil {
		for i := *s.current; i < seq; i++ {
			if on, is := s.mission[i]; is {
				s.on = new(on)
			}
		}
	}
	s.current = new(seq)
}

// disarmed notes that the vehicle is not armed: its sprayer does not run.
func (s *sprayer) disarmed() {
	if s.on != nil {
		s.on = new(false)
	}
}

// lost notes that the vehicle was not heard for so long that what it was told may
// have changed, or that it has restarted.
func (s *sprayer) lost() { s.asked, s.on, s.current = nil, nil, nil }
