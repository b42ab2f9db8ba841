package kiosk

import (
	"testing"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/clock"
	"gatehouse/gateway/edge/status"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/gate"
)

// sight is what happens, and the screen after it as brief writes it.
type sight struct {
	scene *scene
	want  string
}

// away is the screen of a gate that has lost the county.
func away() *scene { return newScene().status(linked(false)).wait(10).status(linked(false)) }

func TestWhatTheGuardSees(t *testing.T) {
	for about, table := range map[string]map[string]sight{
		"verdicts": verdictsSeen, "faults": faultsSeen, "prompts": promptsSeen, "mute": muteSeen,
	} {
		for name, c := range table {
			t.Run(about+"/"+name, func(t *testing.T) {
				if got := c.scene.brief(); got != c.want {
					t.Errorf("the guard sees %q, want %q", got, c.want)
				}
			})
		}
	}
}

// Verdicts, and the answers to them.
var verdictsSeen = map[string]sight{
	"nobody": {newScene(), "idle"},
	"somebody is being measured": {
		newScene().status(status.Snapshot{Delivery: well, Gate: status.Gate{Measuring: []string{""}}}),
		"measuring"},
	"a pass":                           {newScene().see(pass), "pass ♪pass"},
	"a pass, later":                    {newScene().see(pass).wait(3), "idle"},
	"too cold to judge":                {newScene().see(cold), "invalid ♪amber"},
	"too cold, later":                  {newScene().see(cold).wait(6), "idle"},
	"measure again":                    {newScene().see(again), "retest ♪amber"},
	"a lost card":                      {newScene().see(lost), "refuse ♪amber"},
	"a fever":                          {newScene().see(fever), "fever ♪fever"},
	"a fever stays":                    {newScene().see(fever).wait(3600), "fever ♪fever"},
	"a fever, answered":                {newScene().see(fever).press(ActionCallDoctor), "idle"},
	"a fever, another's button":        {newScene().see(fever).press(ActionIDChecked), "fever ♪fever"},
	"a pass does not hide a fever":     {newScene().see(fever).see(pass), "fever ♪fever =pass 3s"},
	"a fever comes before a stranger":  {newScene().see(unknown).see(fever), "fever +1 ♪fever"},
	"the stranger still waits":         {newScene().see(unknown).see(fever).press(ActionIsolate), "unknown ♪unknown"},
	"a stranger does not hide a fever": {newScene().see(fever).see(unknown), "fever +1 ♪fever"},
	"two fevers": {newScene().see(fever).see(passage(fact.VerdictFever, "fever", 9)),
		"fever +1 ♪fever"},
	"one of two fevers answered": {
		newScene().see(fever).see(passage(fact.VerdictFever, "fever", 9)).press(ActionRetest),
		"fever ♪fever"},
	"a sealed household":           {newScene().see(sealed), "sealed ♪sealed"},
	"a fever's card comes later":   {newScene().see(fever).see(amends(fever, 8)), "fever ♪fever"},
	"a stranger measured later":    {newScene().see(unknown).see(amends(unknown, 8)), "unknown ♪unknown"},
	"a stranger with fever":        {newScene().see(unknown).see(amends(fever, 4)), "fever ♪fever"},
	"dealt with, and then amended": {newScene().see(unknown).press(ActionTurnedAway).see(amends(unknown, 8)), "idle"},
	"dealt with, and then worse": {
		newScene().see(unknown).press(ActionTurnedAway).see(amends(fever, 4)),
		"fever ♪fever"},
}

// Faults of devices, of the journal and of the connection.
var faultsSeen = map[string]sight{
	"a broken thermometer":        {newScene().status(linked(true, "fault")), "fault ♪fault"},
	"a broken thermometer, noted": {newScene().status(linked(true, "fault")).press(ActionNoted), "idle =fault"},
	"noted, and still broken": {
		newScene().status(linked(true, "fault")).press(ActionNoted).status(linked(true, "gone")),
		"idle =fault"},
	"a mended thermometer": {
		newScene().status(linked(true, "fault")).press(ActionNoted).status(linked(true)),
		"idle"},
	"mended before it was noted": {newScene().status(linked(true, "gone")).status(linked(true)), "idle"},
	"both devices":               {newScene().status(linked(true, "fault", "gone")), "fault +1 ♪fault"},
	"a fever while the reader is broken": {
		newScene().status(linked(true, "ok", "gone")).see(fever),
		"fever +1 ♪fever"},
	"records can't be kept": {newScene().status(status.Snapshot{Delivery: well, Unkept: "disk full"}),
		"fault ♪fault"},
	"the county is away for a moment":      {newScene().status(linked(false)).wait(9).status(linked(false)), "idle"},
	"the county is away":                   {away(), "offline ♪offline"},
	"away, noted":                          {away().press(ActionNoted), "idle =offline"},
	"back again":                           {away().press(ActionNoted).status(linked(true)), "idle"},
	"people pass while the county is away": {away().see(pass), "pass +1 ♪pass"},
}

// What visits wait for.
var promptsSeen = map[string]sight{
	"a card was tapped":                 {newScene().ask(gate.WantsTemperature, 8), "tapped 8s ♪prompt"},
	"a card was tapped, a little later": {newScene().ask(gate.WantsTemperature, 8).wait(5), "tapped 3s ♪prompt"},
	"a card was tapped after a pass":    {newScene().see(pass).ask(gate.WantsTemperature, 8), "tapped 8s ♪prompt"},
	"tapped, the verdict is due":        {newScene().ask(gate.WantsTemperature, 8).wait(8.4), "tapped -400ms ♪prompt"},
	"tapped, and time ran out":          {newScene().ask(gate.WantsTemperature, 8).wait(8.5), "idle"},
	"tapped, and measuring":             {newScene().ask(gate.WantsTemperature, 8, ""), "measuring"},
	"measured, and measuring":           {newScene().ask(gate.WantsCard, 8, ""), "measured 8s ♪prompt"},
	"refused, and the visit goes on":    {newScene().see(lost).ask(gate.WantsNothing, 8).wait(7), "refuse ♪amber"},
	"turned away, and no green comes back": {
		newScene().see(pass).wait(0.5).see(unknown).wait(1).press(ActionTurnedAway),
		"idle"},
	"no pass of an hour ago comes back": {
		newScene().see(pass).wait(3600).see(fever).ask(gate.WantsNothing, 8).wait(1).press(ActionIsolate),
		"idle"},
	"two in the lane":            {newScene().see(again).ask(gate.WantsApart, 8, ""), "apart 8s ♪amber"},
	"a code that can't be read":  {newScene().ask(gate.WantsCode, 5), "unread 5s ♪amber"},
	"a fever in a mixed lane":    {newScene().see(fever).ask(gate.WantsApart, 8), "fever ♪fever =apart 8s"},
	"a card while a fever waits": {newScene().see(fever).ask(gate.WantsTemperature, 8), "fever ♪fever =tapped 8s"},
}

// The guard mutes the screen.
var muteSeen = map[string]sight{
	"silence":                                 {newScene().press(ActionMute), "idle muted"},
	"silence does not hide":                   {newScene().press(ActionMute).see(pass), "pass muted"},
	"a new alarm ends the silence":            {newScene().press(ActionMute).see(fever), "fever ♪fever"},
	"silence ends":                            {newScene().press(ActionMute).wait(120), "idle"},
	"silenced while a fever waits":            {newScene().see(fever).press(ActionMute), "fever muted"},
	"the silence over, the fever still there": {newScene().see(fever).press(ActionMute).wait(121), "fever ♪fever"},
}

func TestADoubtfulThermometerIsShownUntilItIsNotDoubtful(t *testing.T) {
	s, now := NewScreen(), clock.Moment{Wall: time.Date(2020, 2, 14, 6, 0, 0, 0, time.UTC), Boot: time.Hour}
	st := status.Snapshot{Gate: status.Gate{Devices: []status.Device{{Name: "thermometer",
		Kind: devices.KindThermometer, State: fact.DeviceOK}}}, Delivery: status.Delivery{Linked: true},
		Turned: now.Boot}
	st.Holds = []status.Condition{{Type: fact.AlarmDeviceDoubtful, Device: "thermometer", Detail: "it repeats 33.4"}}
	s.Status(now, st)
	if v := s.View(now); v.Look != LookFault || v.Kind != "doubtful" || s.Lamps().Thermometer != "fault" {
		t.Errorf("doubtful: %+v, %+v", v, s.Lamps())
	}
	st.Holds = nil
	s.Status(now, st)
	if v := s.View(now); v.Look != LookIdle || s.Lamps().Thermometer != "ok" {
		t.Errorf("no longer: %+v, %+v", v, s.Lamps())
	}
}
