package pages

import (
	"fmt"
	"net/http"
	"strconv"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/lookup"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/explain"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// explained is a passage with its explanation, for the page.
type explained struct {
	Agent      string             `json:"agent"`
	Journal    string             `json:"journal"`
	Seq        uint64             `json:"seq"`
	At         wire.Time          `json:"at"`
	Verdict    fact.Verdict       `json:"verdict"`
	Replaces   uint64             `json:"replaces,omitempty"`
	ReplacedBy uint64             `json:"replaced_by,omitempty"`
	Sentences  []explain.Sentence `json:"sentences"`
}

// passage answers why a passage was decided as it was: journal and seq name it. The page
// has the words of the sentences.
func (s *Server) passage(w http.ResponseWriter, r *http.Request, who people.Session) {
	seq, err := strconv.ParseUint(r.URL.Query().Get("seq"), 10, 64)
	if err != nil || seq == 0 || seq > wire.MaxSeq {
		fail(w, errBody)
		return
	}
	jid := r.URL.Query().Get("journal")
	if !s.look(w, r, who, audit.Act{Action: audit.LookPassage, Object: fmt.Sprintf("passage %s/%d", jid, seq)}) {
		return
	}
	f, err := lookup.In(r.Context(), s.Records, jid, seq)
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, explained{f.Agent, f.JID, f.Seq, f.At, f.Passage.Verdict, f.Replaces, f.ReplacedBy,
		append(explain.Passage(f.Passage, s.Zone), explain.Replaced(f.Replaces, f.ReplacedBy)...)}, nil)
}
