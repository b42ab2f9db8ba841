package fact

import (
	"slices"
	"strings"
	"time"
)

// AlarmState says whether the condition of an alarm holds.
type AlarmState string

// The states of an alarm at its source. Whether somebody has acknowledged it is
// known at the desk only.
const (
	AlarmRaised  AlarmState = "raised"
	AlarmCleared AlarmState = "cleared"
)

// AlarmType is the code of an alarm: what is wrong.
type AlarmType string

// ID returns the id of an alarm of type t about a device, machine or passage:
// "device-gone:reader", or the type alone when about is empty.
func (t AlarmType) ID(about string) string {
	if about == "" {
		return string(t)
	}
	return string(t) + ":" + about
}

// Alarms that agents raise.
const (
	AlarmFever            AlarmType = "fever"                // somebody has a fever
	AlarmFeverConfirmed   AlarmType = "fever-confirmed"      // a second measurement has confirmed it
	AlarmUnresolved       AlarmType = "episode-unresolved"   // a fever episode ran out: nobody was measured again
	AlarmDeviceGone       AlarmType = "device-gone"          // a port is missing or unplugged
	AlarmDeviceFault      AlarmType = "device-fault"         // a device can't measure
	AlarmDeviceDoubtful   AlarmType = "device-doubtful"      // a thermometer reads what people can't be
	AlarmCheckDue         AlarmType = "check-due"            // a thermometer's field check is overdue
	AlarmMachineFault     AlarmType = "machine-fault"        // a machine reports a fault
	AlarmMachineUnheard   AlarmType = "machine-unheard"      // a machine speaks and nothing is understood
	AlarmJournalWrite     AlarmType = "journal-write-failed" // records can't be kept
	AlarmJournalSync      AlarmType = "journal-sync-failed"  // the disk fails to make records durable
	AlarmJournalDamaged   AlarmType = "journal-damaged"      // part of the journal can't be read
	AlarmJournalDiskLow   AlarmType = "journal-disk-low"     // little room is left for the journal
	AlarmCollectorForeign AlarmType = "collector-foreign"    // signed by a key that is not the collector's
	AlarmStoreChanged     AlarmType = "store-changed"        // a store that the journal does not trust answers
	AlarmRecordHeld       AlarmType = "record-held"          // a record does not arrive, and holds up the others
	AlarmRulesRefused     AlarmType = "rules-refused"        // a new policy or roster is wrong: the old ones hold
	AlarmNobodyPasses     AlarmType = "nobody-passes"        // the rules, or the devices, let nobody pass
	AlarmHelpCalled       AlarmType = "help-called"          // a guard asks for a doctor, a grid worker, ...
	AlarmRedUnanswered    AlarmType = "red-unanswered"       // a red verdict waits for the guard's answer
	AlarmGuardAbsent      AlarmType = "guard-absent"         // the post is not manned, or nobody answers
	AlarmGateQuiet        AlarmType = "gate-quiet"           // nobody comes when people usually do
	AlarmAnswersTooFast   AlarmType = "answers-too-fast"     // reds are answered before they can be read
	AlarmPINGuessed       AlarmType = "pin-guessed"          // wrong PINs again and again
	AlarmOverridden       AlarmType = "overridden"           // a guard decided against a verdict
	AlarmSealedLeaving    AlarmType = "sealed-leaving"       // somebody of a sealed household wants to leave
	AlarmSealedOut        AlarmType = "sealed-out"           // a guard let somebody of a sealed household out
)

// Alarms that the desk raises.
const (
	AlarmGateSilent      AlarmType = "gate-silent"      // one gate sends nothing
	AlarmGatesSilent     AlarmType = "gates-silent"     // many gates at once: look at the county's own side
	AlarmJournalLost     AlarmType = "journal-lost"     // a journal has gone with records in it
	AlarmJournalConflict AlarmType = "journal-conflict" // records under stored seqs with other content
	AlarmAgentCloned     AlarmType = "agent-cloned"     // two computers run as the same agent
	AlarmAgentRefused    AlarmType = "agent-refused"    // messages of an agent are refused
	AlarmRunDry          AlarmType = "run-dry"          // a machine was told to spray, and nothing came out
	AlarmRunLeak         AlarmType = "run-leak"         // a machine lost liquid without being told to spray
	AlarmRunDisputed     AlarmType = "run-disputed"     // what measures a run contradicts itself
)

// AlarmLevel says how soon an alarm needs somebody.
type AlarmLevel string

// The levels.
const (
	LevelRed   AlarmLevel = "red"   // now
	LevelAmber AlarmLevel = "amber" // soon
)

// Overtakes reports whether an alarm of type t goes before other alarms that overtake the
// backlog: it is about somebody who waits for help.
func (t AlarmType) Overtakes() bool {
	switch t {
	case AlarmFever, AlarmFeverConfirmed, AlarmHelpCalled, AlarmRedUnanswered, AlarmSealedLeaving, AlarmSealedOut:
		return true
	}
	return false
}

// Posted reports whether an alarm of type t holds as long as a part of the agent posts its
// condition. Others are raised, and those that end are ended, by what happens at the gate.
func (a Alarm) Posted() bool { return !a.Happened && !a.ByGuard }

// Alarm is one row of the catalogue of alarms.
type Alarm struct {
	Type  AlarmType
	Level AlarmLevel
	// Happened is true of an alarm about something that happened: it has no
	// end, and stays until somebody acknowledges it. The others are conditions
	// that hold until they are cleared.
	Happened bool
	// Fleeting is true of a condition that needs nobody once it has ended: it
	// leaves the list of open alerts without an acknowledgement.
	Fleeting bool
	// ByGuard is true of an alarm that a guard raises and ends: no part of the agent
	// finds out whether it holds.
	ByGuard bool
	// OnDelay is how long the condition must hold before the alarm is raised,
	// and OffDelay how long it must have ended before the alarm is cleared. The
	// package that raises the alarm applies them.
	OnDelay, OffDelay time.Duration
	Zh, En            string // for screens
}

// Delays of alarms that the desk raises.
const (
	SilenceDelay = 10 * time.Second // a gate that only restarts is back before
	CalmDelay    = 10 * time.Minute // how long a fault that comes and goes must not have come
)

// Alarms returns the catalogue: all alarms, the ones of agents first.
func Alarms() []Alarm {
	return []Alarm{
		{Type: AlarmFever, Level: LevelRed, Happened: true, Zh: "发热", En: "Fever"},
		{Type: AlarmFeverConfirmed, Level: LevelRed, Happened: true, Zh: "复测确认发热", En: "Fever confirmed"},
		{
			Type:     AlarmUnresolved,
			Level:    LevelRed,
			Happened: true,
			Zh:       "首测偏高 未复测",
			En:       "High reading, not measured again",
		},
		{Type: AlarmDeviceGone, Level: LevelAmber, Zh: "设备断开", En: "Device unplugged"},
		{Type: AlarmDeviceFault, Level: LevelAmber, Zh: "设备故障", En: "Device fault"},
		{Type: AlarmDeviceDoubtful, Level: LevelAmber, Zh: "测温仪读数可疑", En: "Thermometer doubtful"},
		{Type: AlarmCheckDue, Level: LevelAmber, Zh: "测温仪该核查了", En: "Thermometer check due"},
		{Type: AlarmMachineFault, Level: LevelAmber, Zh: "消杀设备报障", En: "Machine reports a fault"},
		{Type: AlarmMachineUnheard, Level: LevelAmber, Zh: "消杀设备数据读不懂", En: "Machine not understood"},
		{Type: AlarmJournalWrite, Level: LevelRed, Zh: "记录无法保存", En: "Records not kept"},
		{Type: AlarmJournalSync, Level: LevelRed, Zh: "磁盘写入失败", En: "Disk write failed"},
		{Type: AlarmJournalDamaged, Level: LevelRed, Zh: "记录损坏", En: "Records damaged"},
		{Type: AlarmJournalDiskLow, Level: LevelRed, Zh: "磁盘将满", En: "Disk nearly full"},
		{Type: AlarmCollectorForeign, Level: LevelRed, Zh: "上传对象可疑", En: "Foreign collector"},
		{Type: AlarmStoreChanged, Level: LevelAmber, Zh: "存储已更换", En: "Store replaced"},
		{Type: AlarmRecordHeld, Level: LevelRed, Zh: "记录传不上去", En: "A record does not arrive"},
		{Type: AlarmRulesRefused, Level: LevelRed, Zh: "新规则有误 旧规则仍有效", En: "New rules wrong, old ones in force"},
		{Type: AlarmNobodyPasses, Level: LevelAmber, Zh: "规则不让任何人通行", En: "Rules let nobody pass"},
		{Type: AlarmHelpCalled, Level: LevelRed, Fleeting: true, ByGuard: true, Zh: "门岗求助", En: "Gate asks for help"},
		{Type: AlarmRedUnanswered, Level: LevelRed, Fleeting: true, Zh: "红色告警无人应答", En: "Red verdict not answered"},
		{Type: AlarmGuardAbsent, Level: LevelRed, Zh: "门岗无人值守", En: "Guard absent"},
		{Type: AlarmGateQuiet, Level: LevelAmber, Fleeting: true, Zh: "门岗长时间无人通行", En: "Nobody comes to the gate"},
		{Type: AlarmAnswersTooFast, Level: LevelAmber, Zh: "红色告警应答过快", En: "Reds answered unread"},
		{Type: AlarmPINGuessed, Level: LevelRed, Zh: "有人反复试密码", En: "PIN guessed at the gate"},
		{Type: AlarmOverridden, Level: LevelAmber, Happened: true, Zh: "值守员更改了判定", En: "Guard overruled a verdict"},
		{Type: AlarmSealedLeaving, Level: LevelRed, Happened: true, Zh: "封控户要出门",
			En: "Sealed household wants to leave"},
		{Type: AlarmSealedOut, Level: LevelRed, Happened: true, Zh: "封控户急症放行", En: "Sealed household let out"},
		{Type: AlarmGateSilent, Level: LevelRed, Fleeting: true, OnDelay: SilenceDelay, Zh: "门岗失联", En: "Gate silent"},
		{Type: AlarmGatesSilent, Level: LevelRed, Fleeting: true, OnDelay: SilenceDelay,
			Zh: "多个门岗同时失联：先查县中心网络", En: "Many gates silent: check the county's side"},
		{Type: AlarmJournalLost, Level: LevelRed, Happened: true, Zh: "日志连同记录丢失", En: "Journal gone with records"},
		{Type: AlarmJournalConflict, Level: LevelRed, Zh: "同序号内容不同", En: "Other content under a stored seq"},
		{Type: AlarmAgentCloned, Level: LevelRed, OffDelay: CalmDelay, Zh: "两台主机冒用同一门岗",
			En: "Two computers as one gate"},
		{Type: AlarmAgentRefused, Level: LevelRed, OffDelay: CalmDelay, Zh: "部分数据被拒收", En: "Messages refused"},
		{Type: AlarmRunDry, Level: LevelAmber, Happened: true, Zh: "空喷：几乎没有药液喷出",
			En: "Dry run: next to nothing came out"},
		{Type: AlarmRunLeak, Level: LevelAmber, Happened: true, Zh: "漏液：无指令时有药液流出",
			En: "Leak: it flowed without command"},
		{Type: AlarmRunDisputed, Level: LevelAmber, Happened: true, Zh: "用药数据互相矛盾",
			En: "Run disputed: measurements contradict"},
	}
}

// Known reports whether t is in the catalogue.
func (t AlarmType) Known() bool {
	return slices.ContainsFunc(Alarms(), func(a Alarm) bool { return a.Type == t })
}

// Alarm returns t's row of the catalogue. Of a type that this version does not
// know, such as one of a newer agent, it returns a condition: a red one when it
// is about a journal or a collector.
func (t AlarmType) Alarm() Alarm {
	for _, a := range Alarms() {
		if a.Type == t {
			return a
		}
	}
	unknown := Alarm{Type: t, Level: LevelAmber, Zh: string(t), En: string(t)}
	if strings.HasPrefix(string(t), "journal-") || strings.HasPrefix(string(t), "collector-") {
		unknown.Level = LevelRed
	}
	return unknown
}
