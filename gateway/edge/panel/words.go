package panel

import (
	"gatehouse/gateway/edge/kiosk"
	"gatehouse/gateway/fact"
)

// Language is that of a display's words.
type Language string

// The languages.
const (
	Chinese Language = "zh"
	English Language = "en"
)

// text is what a display says in both languages. A line has room for 8 Chinese
// characters or 16 letters, a big word for 2 or 4.
type text struct{ zh, en string }

func (t text) in(l Language) string {
	if l == English {
		return t.en
	}
	return t.zh
}

// words are what a display says of a look: the big word where no temperature is shown,
// what has happened, and what to do.
type words struct{ big, what, order text }

// wordsOf returns the words of a look.
func wordsOf(look kiosk.Look) words {
	switch look {
	case kiosk.LookPass:
		return words{text{"通行", "GO"}, text{"体温正常", "Normal"}, text{"请通行", "Please go on"}}
	case kiosk.LookRetest:
		return words{text{"再测", "WAIT"}, text{"读数不算", "Not measured"}, text{"站稳再测一次", "Measure again"}}
	case kiosk.LookInvalid:
		return words{text{"无效", "VOID"}, text{"读数无效", "Not valid"}, text{"请用体温计复测", "Measure by hand"}}
	case kiosk.LookFever:
		return words{text{"禁行", "STOP"}, text{"体温异常", "Fever"}, text{"勿放行 呼叫医生", "Call the doctor"}}
	case kiosk.LookConfirmed:
		return words{text{"禁行", "STOP"}, text{"已确认发热", "Fever confirmed"}, text{"勿放行 呼叫医生", "Call the doctor"}}
	case kiosk.LookWaiting:
		return words{text{"等候", "WAIT"}, text{"未到复测时间", "Too early"}, text{"请继续等候", "Go on waiting"}}
	case kiosk.LookReady:
		return words{text{"再测", "NEXT"}, text{"还没有复测", "Measure again"}, text{"请去测温通道", "Face the sensor"}}
	case kiosk.LookContact:
		return words{text{"再测", "NEXT"}, text{"复测要体温计", "Must be checked"}, text{"请用体温计量", "Use a contact one"}}
	case kiosk.LookSealed:
		return words{text{"禁行", "STOP"}, text{"居家隔离", "Sealed household"}, text{"劝返 联系网格员", "Send back home"}}
	case kiosk.LookUnknown:
		return words{text{"核实", "WHO?"}, text{"卡片未登记", "Unknown card"}, text{"请核实身份", "Check identity"}}
	case kiosk.LookFault:
		return words{text{"故障", "FAIL"}, text{"设备故障", "A device fails"}, text{"检查插头和电源", "Check its plug"}}
	case kiosk.LookOffline:
		return words{text{"离线", "CUT"}, text{"与县中心断开", "County cut off"}, text{"照常测温", "Go on as usual"}}
	case kiosk.LookRetired:
		return words{text{"禁行", "END"}, text{"本岗已关", "Out of service"}, text{"此处勿放行", "No way through"}}
	case kiosk.LookApart:
		return words{text{"逐个", "WAIT"}, text{"请一个一个来", "One at a time"}, text{"全部退后再来", "All step back"}}
	case kiosk.LookUnread:
		return words{text{"重扫", "SCAN"}, text{"此码无法识别", "Code not read"}, text{"调亮屏幕再扫", "Brighter, again"}}
	case kiosk.LookTapped:
		return words{text{"测温", "LOOK"}, text{"已刷卡", "Card is read"}, text{"额头对准测温仪", "Face the sensor"}}
	case kiosk.LookMeasured:
		return words{text{"刷卡", "CARD"}, text{"已测温", "Measured"}, text{"请刷卡", "Show your card"}}
	case kiosk.LookMeasuring:
		return words{text{"站稳", "HOLD"}, text{"正在测温", "Measuring"}, text{"请勿移动", "Do not move"}}
	case kiosk.LookIdle:
		return words{what: text{"请测温 请刷卡", "Measure and card"}, order: text{"一次一人", "One at a time"}}
	case kiosk.LookRefuse:
	}
	return words{text{"禁行", "STOP"}, text{"不能通行", "May not pass"}, text{"请劝返", "Please turn back"}}
}

// asks are what an idle gate can take, where it is not both card and temperature.
func asks(code string) (t text, ok bool) {
	t, ok = map[string]text{
		"temperature": {"请测温 人工登记", "Measure; by list"},
		"card":        {"请刷卡", "Show your card"},
		"by-hand":     {"刷卡 用额温枪", "Card; hand-held"},
		"nothing":     {"额温枪 人工登记", "Hand-held; list"},
	}[code]
	return t, ok
}

// faults are what is broken, and what to do meanwhile.
func faults(kind string) (what, order text, ok bool) {
	t, ok := map[string][2]text{
		"thermometer":   {{"测温仪故障", "Sensor fails"}, {"改用额温枪", "Use a hand-held"}},
		"doubtful":      {{"测温仪可疑", "Doubtful values"}, {"用额温枪复核", "Use a hand-held"}},
		"reader":        {{"读卡器故障", "Reader fails"}, {"请人工登记", "Write a list"}},
		"display":       {{"显示屏故障", "Display fails"}, {"检查插头", "Check its plug"}},
		"nobody-passes": {{"谁都不能通行", "Nobody may pass"}, {"请问县中心", "Ask the county"}},
		"journal":       {{"记录无法保存", "Cannot record"}, {"人工登记勿关机", "Write it by hand"}},
	}[kind]
	return t[0], t[1], ok
}

// feverOrder returns what to do with somebody who has a fever.
func feverOrder(i fact.Instruction) text {
	switch i {
	case fact.InstructWait:
		return text{"先等候 再测一次", "Wait, then again"}
	case fact.InstructGoHome:
		return text{"勿放行 回家等候", "Go home, wait"}
	case fact.InstructTurnAway:
		return text{"勿放行 请劝返", "Turn back"}
	default:
		return text{"勿放行 呼叫医生", "Call the doctor"}
	}
}

// reasonWords are what a display says of a reason; order is empty where that of the
// look fits.
func reasonWords(r fact.Reason) (what, order text, ok bool) {
	for _, list := range []map[fact.Reason][2]text{ofMeasurement(), ofRules(), ofPasses(), ofEpisodes()} {
		if t, ok := list[r]; ok {
			return t[0], t[1], true
		}
	}
	return text{}, text{}, false
}

func ofMeasurement() map[fact.Reason][2]text {
	byHand := text{"请用体温计复测", "Measure by hand"}
	return map[fact.Reason][2]text{
		fact.ReasonNormal:        {{"体温正常", "Normal"}},
		fact.ReasonFever:         {{"体温异常", "Fever"}},
		fact.ReasonUnsettled:     {{"读数不稳", "Did not settle"}, {"站稳再测一次", "Stand still"}},
		fact.ReasonTooCold:       {{"额头太凉", "Skin is cold"}, {"回暖5分钟再测", "Warm up 5 min"}},
		fact.ReasonAmbientLow:    {{"空气过冷 不算数", "Air is too cold"}, byHand},
		fact.ReasonAmbientHigh:   {{"空气过热 不算数", "Air is too warm"}, byHand},
		fact.ReasonHotBackground: {{"背后有热源", "Heat behind you"}, {"移开热源再测", "Move, try again"}},
		fact.ReasonSensorDrift:   {{"测温仪被晒 不准", "Sun on sensor"}, {"遮阳 用体温计测", "Measure by hand"}},
		fact.ReasonHighForGate:   {{"比别人偏高", "High for here"}, {"再测一次", "Measure again"}},
		fact.ReasonDoubtful:      {{"测温仪可疑", "Doubtful sensor"}, byHand},
		fact.ReasonUnderCheck:    {{"测温仪在校验", "Sensor in check"}, byHand},
		fact.ReasonNoTemperature: {{"超时未测温", "Not measured"}, {"重新刷卡再测温", "Card, then look"}},
		fact.ReasonNoCard:        {{"超时未刷卡", "No card shown"}, {"退后重新来", "Begin again"}},
		fact.ReasonOneAtATime:    {{"请一个一个来", "One at a time"}, {"全部退后再来", "All step back"}},
		fact.ReasonNoReader:      {{"读卡器故障", "Reader fails"}, {"核实身份 登记", "Check identity"}},
		fact.ReasonNoThermometer: {{"测温仪故障", "Sensor fails"}, {"用额温枪测温", "Use a hand-held"}},
		fact.ReasonEntered:       {{"人工测温", "Read by hand"}},
		fact.ReasonNotMeasured:   {{"卡有效", "Card is valid"}},
		fact.ReasonLetPass:       {{"值守人员放行", "Guard lets pass"}, {"请通行", "Please go on"}},
		fact.ReasonStopped:       {{"值守人员拦下", "Guard stops you"}},
	}
}

func ofRules() map[fact.Reason][2]text {
	return map[fact.Reason][2]text{
		fact.ReasonUnknownCard:  {{"卡片未登记", "Unknown card"}, {"请核实身份", "Check identity"}},
		fact.ReasonLostCard:     {{"卡片已挂失", "Lost card"}, {"请核实身份", "Check identity"}},
		fact.ReasonSealed:       {{"居家隔离", "Sealed household"}, {"劝返 联系网格员", "Send back home"}},
		fact.ReasonNotYet:       {{"卡片尚未生效", "Not yet valid"}},
		fact.ReasonExpired:      {{"卡片已过期", "Card has expired"}},
		fact.ReasonDirection:    {{"此方向不能通行", "Not this way"}},
		fact.ReasonHours:        {{"不在通行时段", "Closed now"}, {"请在时段内再来", "Come when open"}},
		fact.ReasonQuota:        {{"出门次数已用完", "No more outings"}, {"急事联系网格员", "Ask grid worker"}},
		fact.ReasonUsesUp:       {{"次数已用完", "Used up"}},
		fact.ReasonPassback:     {{"同向重复刷卡", "Went this way"}, {"核实是否本人", "Check the holder"}},
		fact.ReasonPurpose:      {{"未写明事由", "No purpose given"}},
		fact.ReasonLaneFirst:    {{"先去消毒通道", "Disinfect first"}, {"消毒后再刷卡", "Then card again"}},
		fact.ReasonSealedEntry:  {{"隔离户回家", "Sealed, comes in"}, {"联系网格员", "Tell grid worker"}},
		fact.ReasonSealedVisit:  {{"隔离户不能探访", "Sealed: no visit"}},
		fact.ReasonOpening:      {{"已报备外出", "Declared outing"}},
		fact.ReasonClockUnknown: {{"时钟未校准", "Clock not set"}},
	}
}

func ofEpisodes() map[fact.Reason][2]text {
	return map[fact.Reason][2]text{
		fact.ReasonTooEarly:       {{"未到复测时间", "Too early"}, {"请继续等候", "Go on waiting"}},
		fact.ReasonRetestDue:      {{"还没有复测", "Not measured"}, {"请去测温通道", "Measure again"}},
		fact.ReasonContactNeeded:  {{"复测要体温计", "Must be checked"}, {"请用体温计量", "Use a contact one"}},
		fact.ReasonFeverConfirmed: {{"已确认发热", "Fever confirmed"}, {"不放行 找医生", "Call the doctor"}},
	}
}

func ofPasses() map[fact.Reason][2]text {
	return map[fact.Reason][2]text{
		fact.ReasonLetPass:         {{"门岗放行", "Guard lets pass"}},
		fact.ReasonStopped:         {{"门岗不放行", "Guard stops you"}},
		fact.ReasonPassForged:      {{"通行码不是本县的", "Forged pass"}, {"不放行 报告", "Report it"}},
		fact.ReasonPassUnreadable:  {{"通行码残缺", "Pass not read"}, {"放平调亮再扫", "Brighter, again"}},
		fact.ReasonPassElsewhere:   {{"别的门岗的码", "For another gate"}, {"请去写明的门岗", "Go to that gate"}},
		fact.ReasonPassNotAccepted: {{"不收这种通行码", "Pass not taken"}},
	}
}
