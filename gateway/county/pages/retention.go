package pages

import (
	"net/http"
	"slices"
	"time"

	"gatehouse/gateway/county/people"
)

// kept is for how long one sort of records is kept, for the page.
type kept struct {
	What    string     `json:"what"`             // as the configuration names it
	Hours   *float64   `json:"hours"`            // null: for ever
	Removed uint64     `json:"removed"`          // how many were removed because they were older
	Newest  *time.Time `json:"newest,omitempty"` // the last of those, by the clocks of gates
}

func (s *Server) retention(w http.ResponseWriter, r *http.Request, _ people.Session) {
	removed, err := s.Removed.Expired(r.Context())
	out := []kept{}
	for _, k := range s.Kept {
		row := kept{What: k.Name}
		if k.Age != 0 {
			row.Hours = new(time.Duration(k.Age).Hours())
		}
		for _, e := range removed {
			if !slices.Contains(k.Kinds, e.Kind) {
				continue
			}
			row.Removed += e.Records
			if row.Newest == nil || e.Newest.After(*row.Newest) {
				row.Newest = &e.Newest
			}
		}
		out = append(out, row)
	}
	answer(w, out, err)
}
