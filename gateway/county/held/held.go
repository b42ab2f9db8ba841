// Package held gathers what a county holds on one card, so that the person can be told:
// records of gates, lists in which the card stands, who looked, for how long each is kept
// and why, and what can't be found any more. It only reads. The number of the card stands
// in no report.
package held

import (
	"context"
	"iter"
	"time"

	"gatehouse/gateway/county/alerts"
	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// Subject is the card that is asked for.
type Subject struct {
	Kind  string          // card or code
	Code  string          // the number, or the text of the code
	Names map[string]bool // the card's pseudonyms, by all keys that could be opened
	Keys  map[string]bool // ids of those keys
}

// Records are those of the county's store.
type Records interface {
	// Rows yields records by journal and seq.
	Rows(ctx context.Context, q store.Query) iter.Seq2[store.Row, error]
}

// Books are the books about those records.
type Books interface {
	Expired(ctx context.Context) ([]store.Expired, error)
	Quarantined(ctx context.Context, limit int) ([]store.Quarantined, error)
}

// Sources are where it is looked. Books and Records are usually the same store.
type Sources struct {
	Records Records
	Books   Books
	Audit   iter.Seq2[audit.Entry, error]
	// Alerts returns the desk's alerts about passages of a journal.
	Alerts func(ctx context.Context, jid string, passages []uint64) ([]alerts.Alert, error)
	Lists  iter.Seq[List]
}

// Report is all that was found, and what was not. Each list is in the order of time.
type Report struct {
	Made   time.Time `json:"made"`
	Kind   string    `json:"asked_for"` // card or code; never the number
	Gates  Gates     `json:"gates"`
	Lists  []Listed  `json:"lists"`
	Looks  []Look    `json:"looks"` // in the county's audit: who looked, and passes that were issued
	Kept   []Kept    `json:"kept"`
	Limits Limits    `json:"limits"`
}

// Gates is what gates have recorded.
type Gates struct {
	Passages   []Passage  `json:"passages"`
	Readings   []Reading  `json:"readings"` // that the passages were decided on, and taps without a passage
	Guards     []Act      `json:"guards"`   // what guards answered to the passages
	Alarms     []Alarm    `json:"alarms"`   // of gates, about the passages
	Alerts     []Alert    `json:"alerts"`   // as the desk has them: who has seen them
	Episodes   []Episode  `json:"episodes"` // that had no end in the newest passage
	Quotas     []Quota    `json:"quotas"`   // the newest count by each gate and rule
	Quarantine []Isolated `json:"quarantine"`
}

// Record names a record of a gate.
type Record struct {
	Gate    string    `json:"gate"`
	At      time.Time `json:"at"`
	Journal string    `json:"journal"`
	Seq     uint64    `json:"seq"`
}

// Passage is a passage with everything that it was decided on.
type Passage struct {
	Record

	Passage *wire.Passage `json:"passage"`
}

// Reading is a tap or a measurement, with its raw values.
type Reading struct {
	Record

	Reading *wire.Reading `json:"reading"`
}

// Act is what a guard did about a passage.
type Act struct {
	Record

	Act *wire.Audit `json:"act"`
}

// Alarm is a gate's alarm about a passage.
type Alarm struct {
	Record

	Alarm *wire.Alarm `json:"alarm"`
}

// Alert is an alert of the desk about a passage.
type Alert struct{ alerts.Alert }

// Episode is a fever episode that was not settled by what the county has.
type Episode struct {
	Record

	Episode wire.EpisodeStep `json:"episode"`
}

// Quota is how often somebody had passed by a rule, as a gate counted at a passage.
type Quota struct {
	Record

	Rule      string `json:"rule"`
	Used      int    `json:"used"` // with that passage, if it let them through
	Times     int    `json:"times"`
	Household bool   `json:"household,omitempty"` // counted for all of the household
}

// Isolated is a message in quarantine that has one of the card's pseudonyms.
type Isolated struct {
	ID     int64     `json:"id"`
	Gate   string    `json:"gate"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// Listed is a list of the county in which the card stands.
type Listed struct {
	Name

	Line   int               `json:"line,omitempty"`   // 0: not known
	Fields map[string]string `json:"fields,omitempty"` // of the line, without the card
}

// Look is an entry of the county's audit that is about the card.
type Look struct {
	N      uint64       `json:"n"`
	At     time.Time    `json:"at"`
	Actor  string       `json:"actor"`
	Role   string       `json:"role,omitempty"`
	Action audit.Action `json:"action"`
	Object string       `json:"object"`
	Detail string       `json:"detail,omitempty"`
}

// Kept is for how long something is kept, and why: codes of the words held.kept and held.why.
type Kept struct {
	What string `json:"what"`
	// For is 14d; ever: no limit is set; bucket: as InfluxDB's bucket says; gate: as each gate
	// says; open: until somebody decides about it; kept: as copies are kept.
	For string `json:"for"`
}

// Limits is what the report can't say.
type Limits struct {
	Epochs     []Epoch        `json:"epochs"`
	Unlinked   []Unlinked     `json:"unlinked"`
	Removed    []Removed      `json:"removed"`
	Unread     []Unread       `json:"unread"` // lists that can't be read
	Unreadable map[string]int `json:"unreadable_records,omitempty"`
}

// Epoch is a time in which gates had keys of their own.
type Epoch struct {
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	Opened bool      `json:"opened"` // false: nobody can find the card in what was recorded then
}

// Unlinked are passages and taps of a gate by a key that was not opened: whether they are of
// this card can't be said.
type Unlinked struct {
	Gate    string    `json:"gate"`
	Key     string    `json:"key_id"`
	Oldest  time.Time `json:"oldest"`
	Newest  time.Time `json:"newest"`
	Records int       `json:"records"`
}

// Removed are records of a gate that retention has removed. Nobody can say whose they were.
type Removed struct {
	Gate    string    `json:"gate"`
	Kind    wire.Kind `json:"kind"`
	Oldest  time.Time `json:"oldest"`
	Newest  time.Time `json:"newest"`
	Records uint64    `json:"records"`
}

// Unread is a list that can't be read.
type Unread struct {
	Name

	Why string `json:"why"` // for engineers, in English
}

// Nothing reports whether nothing was found on the card.
func (r *Report) Nothing() bool {
	g := &r.Gates
	return len(g.Passages)+len(g.Readings)+len(g.Guards)+len(g.Alarms)+len(g.Alerts)+len(g.Quarantine)+
		len(r.Lists)+len(r.Looks) == 0
}

// Gather looks for what is held on a card.
func Gather(ctx context.Context, now time.Time, who Subject, from Sources) (*Report, error) {
	r := &Report{Made: now.UTC(), Kind: who.Kind, Lists: []Listed{}, Looks: []Look{}, Kept: []Kept{},
		Gates: Gates{Passages: []Passage{}, Readings: []Reading{}, Guards: []Act{}, Alarms: []Alarm{},
			Alerts: []Alert{}, Episodes: []Episode{}, Quotas: []Quota{}, Quarantine: []Isolated{}},
		Limits: Limits{Epochs: []Epoch{}, Unlinked: []Unlinked{}, Removed: []Removed{}, Unread: []Unread{}}}
	s := &search{who: who, from: from, report: r, passages: map[place]bool{}, readings: map[place]bool{},
		unlinked: map[[2]string]*Unlinked{}}
	for _, step := range []func(context.Context) error{s.records, s.alerts, s.books, s.lists, s.looks} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	s.conclude()
	return r, nil
}

// episodeOver reports whether nothing of an episode is open after a step.
func episodeOver(step fact.EpisodeStep) bool {
	return step == fact.EpisodeCleared || step == fact.EpisodeConfirmed
}
