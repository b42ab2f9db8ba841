package audit

// Action is a code of what is done. The desk has words for each, as audit.<action>.
type Action string

// Acts.
const (
	Start           Action = "start"            // the collector was started
	LogIn           Action = "log-in"           //
	LogInFailed     Action = "log-in-failed"    // the detail says how often; no actor: there is no such user
	LogOut          Action = "log-out"          //
	SetUp           Action = "set-up"           // an invitation was used: a new user, or a new password
	Invite          Action = "invite"           //
	SetRole         Action = "set-role"         // of a user
	DisableUser     Action = "disable-user"     //
	EnableUser      Action = "enable-user"      //
	ResetPassword   Action = "reset-password"   // a link was made that sets a user's password
	ChangePassword  Action = "change-password"  // one's own
	EndSession      Action = "end-session"      // of a user
	MakeToken       Action = "make-token"       // of a program
	RevokeToken     Action = "revoke-token"     //
	Acknowledge     Action = "acknowledge"      // of an alert
	AnswerCall      Action = "answer-call"      // of a guard
	EndCall         Action = "end-call"         //
	WriteNotice     Action = "write-notice"     // for guards
	RemoveNotice    Action = "remove-notice"    //
	RetryQuarantine Action = "retry-quarantine" //
	DropQuarantine  Action = "drop-quarantine"  //
	Rewind          Action = "rewind"           // collect --rewind-since
	Backup          Action = "backup"           // a backup of the county is made
	Restore         Action = "restore"          // the county was brought back from one
	IssuePass       Action = "issue-pass"       //
	ChangeGuards    Action = "change-guards"    // guard add, pin and remove
	EnrolCode       Action = "enrol-code"       // a code for a gate was made
	EnrolWithdraw   Action = "enrol-withdraw"   // a code that no gate has used is void
	WithdrawInvite  Action = "withdraw-invite"  // a link that nobody has used is void
	EnrolApprove    Action = "enrol-approve"    // a gate was given its certificate
	EnrolRefuse     Action = "enrol-refuse"     // the request of a gate was refused
	EnrolRevoke     Action = "enrol-revoke"     // a gate's certificates are void
	EnrolIssue      Action = "enrol-issue"      // a machine or reader was given a certificate
	EnrolRenew      Action = "enrol-renew"      // a gate was given its next certificate
	AskConsent      Action = "ask-consent"      // somebody asks for what needs a second person
	AgreeConsent    Action = "agree-consent"    // the second person
	RefuseConsent   Action = "refuse-consent"   // the second person, or who asked
	Trace           Action = "trace"            // the passages of a person at all gates were searched
	AccessReport    Action = "access-report"    // what is held of a card was searched
	RulesDraft      Action = "rules-draft"      // a version of a policy, roster, of guards or contacts was written
	RulesAsk        Action = "rules-ask"        // it was offered for approval by another user
	RulesApprove    Action = "rules-approve"    // it was put into force
	RulesWithdraw   Action = "rules-withdraw"   // it was taken back
	OpenGate        Action = "open-gate"        // a barrier was commanded to open
	CommandGate     Action = "command-gate"     // a gate was commanded to show a notice, reload, restart or upgrade
	EndBegin        Action = "end-begin"        // the gates were told to go out of service for good
	EndReceipt      Action = "end-receipt"      // of a gate came
	EndDestroy      Action = "end-destroy"      // a step of what the county destroys was done
	EndFinish       Action = "end-finish"       // all of it was done
	AddPackages     Action = "add-packages"     // packages were put where gates are upgraded from
	RemovePackages  Action = "remove-packages"  // a version of them was taken away
	UpgradeGates    Action = "upgrade-gates"    // an upgrade of gates was begun, changed or ended
	NotDone         Action = "not-done"         // what the entry of the object announced has failed
	LookLive        Action = "look-live"        // the stream of the desk was opened: all gates' newest passages
	LookGate        Action = "look-gate"        // the last passages of a gate
	LookPassage     Action = "look-passage"     // one passage, explained
	LookQuarantine  Action = "look-quarantine"  // the bytes of messages that could not be stored
	LookRules       Action = "look-rules"       // the text of a roster, of guards, contacts or cases
	LookExport      Action = "look-export"      // stored records were exported
	LookReplay      Action = "look-replay"      // stored passages were decided again
	LookAudit       Action = "look-audit"       // this table
)

// Actions returns all actions.
func Actions() []Action {
	return []Action{Start, LogIn, LogInFailed, LogOut, SetUp, Invite, SetRole, DisableUser, EnableUser,
		ResetPassword, ChangePassword, EndSession, MakeToken, RevokeToken, Acknowledge, AnswerCall, EndCall,
		WriteNotice, RemoveNotice, RetryQuarantine, DropQuarantine, Rewind, IssuePass, ChangeGuards,
		EnrolCode, EnrolWithdraw, WithdrawInvite, EnrolApprove, EnrolRefuse, EnrolRevoke, EnrolIssue, EnrolRenew,
		OpenGate, CommandGate, AskConsent,
		AgreeConsent, RefuseConsent,
		Trace, AccessReport, RulesDraft, RulesAsk, RulesApprove, RulesWithdraw, EndBegin, EndReceipt, EndDestroy,
		EndFinish, AddPackages, RemovePackages, UpgradeGates, NotDone, LookLive, LookGate,
		LookPassage, LookQuarantine, LookRules, LookExport, LookReplay, LookAudit}
}
