package wire

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"gatehouse/gateway/fact"
)

// EpisodeStep says what a passage means in a fever episode: the time from somebody's
// first reading that is too high until it is settled whether they have a fever.
type EpisodeStep struct {
	ID    string           `json:"id"`      // e and the seq of the first reading: e41
	Step  fact.EpisodeStep `json:"step"`    // code; see WIRE.md
	First fact.Temp        `json:"first_c"` // the first value, °C
	With  string           `json:"with"`    // its thermometer: a device of the gate, contact or forehead
	Since Time             `json:"since"`   // when it was read
	Ready Time             `json:"ready"`   // from when a second measurement counts
	Until Time             `json:"until"`   // when the episode ends, settled or not
}

// EpisodeID returns the id of the episode whose first reading is seq.
func EpisodeID(seq uint64) string { return "e" + strconv.FormatUint(seq, 10) }

// EpisodeReading returns the first reading of the episode with an id; 0: it is no id.
func EpisodeReading(id string) uint64 {
	digits, is := strings.CutPrefix(id, "e")
	seq, err := strconv.ParseUint(digits, 10, 64)
	if !is || err != nil || id != EpisodeID(seq) {
		return 0
	}
	return seq
}

// check returns an error that says what is missing; a passage of no episode has none.
func (e *EpisodeStep) check() error {
	switch {
	case e == nil:
		return nil
	case EpisodeReading(e.ID) == 0:
		return fmt.Errorf("episode id %.20q is not e and the seq of a reading", e.ID)
	case e.Step == "":
		return errors.New("the step of the episode is missing")
	}
	return nil
}

// episode reads an episode as EncodeBody writes it.
func (f *bodyText) episode() *EpisodeStep {
	e := new(EpisodeStep)
	f.skip(`{"id":`)
	e.ID = f.text()
	f.skip(`,"step":`)
	e.Step = fact.EpisodeStep(f.text())
	f.skip(`,"first_c":`)
	e.First = f.celsius()
	f.skip(`,"with":`)
	e.With = f.text()
	for _, x := range []struct {
		field string
		to    *Time
	}{{`,"since":`, &e.Since}, {`,"ready":`, &e.Ready}, {`,"until":`, &e.Until}} {
		if t := f.time(x.field); t != nil {
			*x.to = *t
		} else {
			f.ok = false
		}
	}
	f.skip(`}`)
	return e
}
