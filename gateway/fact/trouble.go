package fact

// TroubleKind is the code of a trouble: something that keeps a program from its
// work (a problem), or that needs somebody although the work gets done (a
// warning). Alarms of an agent are troubles too, under the code of their type.
type TroubleKind string

// TroubleDisk is a trouble of agents and of the county: what they keep may be lost, or
// nothing can be written.
const TroubleDisk TroubleKind = "disk"

// Troubles of an agent: why nothing, or not all, reaches the county.
const (
	TroubleStuck           TroubleKind = "stuck"            // a part of the agent does not turn
	TroubleDevice          TroubleKind = "device"           // a device of the gate does not work
	TroubleNoBroker        TroubleKind = "no-broker"        // there is no connection to the broker
	TroubleNoCollector     TroubleKind = "no-collector"     // the broker has no collector
	TroubleNoAnswer        TroubleKind = "no-answer"        // the collector does not answer
	TroubleStoreRefuses    TroubleKind = "store-refuses"    // the county's store takes nothing
	TroubleNotAcknowledged TroubleKind = "not-acknowledged" // something waits, and nothing is acknowledged
	TroubleBrokerLimit     TroubleKind = "broker-limit"     // the broker drops large messages; smaller ones pass
	TroubleClock           TroubleKind = "clock-off"        // the clocks of agent and county differ
	TroubleDeskRefused     TroubleKind = "desk-refused"     // what claims to be the county's desk is not heard
	TroubleUpgrade         TroubleKind = "upgrade-failed"   // the last upgrade did not stay
	TroubleNoPage          TroubleKind = "no-page"          // no browser shows the guard's screen
	TroubleSilentPage      TroubleKind = "silent-page"      // a page may not sound
)

// Troubles of the county besides those: TroubleNoBroker and TroubleStoreRefuses
// are its own as well.
const (
	TroubleFenced         TroubleKind = "fenced"          // another collector has taken over
	TroubleDeskFault      TroubleKind = "desk-fault"      // the desk can't take in what is stored
	TroubleDeskBehind     TroubleKind = "desk-behind"     // the desk is catching up
	TroubleReports        TroubleKind = "reports-blocked" // machines' own reports are not stored
	TroubleNothingArrives TroubleKind = "nothing-arrives" // gates live, their records do not come
	TroubleGatesHeldUp    TroubleKind = "gates-held-up"   // some gates deliver nothing, or not all
	TroubleGatesSilent    TroubleKind = "gates-silent"    // gates that were here are not heard
	TroubleAgentsRefused  TroubleKind = "agents-refused"  // some are not believed, or ask for more than one may have
	TroubleQuarantine     TroubleKind = "quarantine"      // what could not be stored
	TroubleRulesBehind    TroubleKind = "rules-behind"    // gates live and have other rules than are meant for them
	TroubleIdentities     TroubleKind = "identities"      // certificates of gates, machines or readers end, or have
	TroubleUpgradeStopped TroubleKind = "upgrade-stopped" // the upgrade of gates has stopped by itself
	TroubleBackup         TroubleKind = "backup"          // the last good backup is too old, or there is none
	TroubleCertificate    TroubleKind = "certificate"     // one that is served ends soon, or has ended
)

// StopsDelivery reports whether nothing of an agent is delivered while the
// trouble holds: its lamp for the county is not green then.
func (k TroubleKind) StopsDelivery() bool {
	switch k {
	case TroubleNoBroker, TroubleNoCollector, TroubleNoAnswer, TroubleStoreRefuses, TroubleNotAcknowledged,
		TroubleKind(AlarmRecordHeld), TroubleKind(AlarmStoreChanged), TroubleKind(AlarmCollectorForeign):
		return true
	}
	return false
}
