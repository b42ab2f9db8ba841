package fact

// EpisodeStep says what a passage means in a fever episode: the time from the first
// reading that is too high until it is settled whether somebody has a fever. The codes
// are explained in wire/WIRE.md.
type EpisodeStep string

// The steps.
const (
	EpisodeOpened    EpisodeStep = "opened"    // the first reading: the warm wait begins
	EpisodeEarly     EpisodeStep = "early"     // they came before the wait was over: nothing is decided
	EpisodeDue       EpisodeStep = "due"       // the wait is over, and they were not measured yet
	EpisodeUnjudged  EpisodeStep = "unjudged"  // measured, and the value can't be judged
	EpisodeContact   EpisodeStep = "contact"   // only a contact thermometer can settle it now
	EpisodeConfirmed EpisodeStep = "confirmed" // it is a fever
	EpisodeCleared   EpisodeStep = "cleared"   // it is none: the episode is over
)

// Valid reports whether s is one of the steps.
func (s EpisodeStep) Valid() bool {
	switch s {
	case EpisodeOpened, EpisodeEarly, EpisodeDue, EpisodeUnjudged, EpisodeContact, EpisodeConfirmed, EpisodeCleared:
		return true
	}
	return false
}

// Reasons that come from a fever episode.
const (
	ReasonTooEarly       Reason = "too-early"       // the warm wait before the second measurement is not over
	ReasonRetestDue      Reason = "retest-due"      // the wait is over: they must be measured before they may pass
	ReasonContactNeeded  Reason = "contact-needed"  // normal now, but only a contact value can settle it
	ReasonFeverConfirmed Reason = "fever-confirmed" // a fever was confirmed a short time ago
)
