package pages

import (
	"net/http"

	"gatehouse/gateway/county/command"
	"gatehouse/gateway/county/people"
	"gatehouse/gateway/fact"
)

// commandsShown is how many commands of a gate a page shows.
const commandsShown = 20

// openGate has a gate open its barrier, for which the own password is given again.
func (s *Server) openGate(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[struct {
		command.Request

		Password string `json:"password"` // of who asks
	}](w, r)
	if err == nil {
		err = s.People.Confirm(r.Context(), who, m.Password)
	}
	if err != nil {
		failRetryable(w, err)
		return
	}
	m.Action = fact.CommandOpen
	s.ask(w, r, who, m.Request)
}

// command has a gate do what is no opening, and no upgrade: those have acts of their own.
func (s *Server) command(w http.ResponseWriter, r *http.Request, who people.Session) {
	m, err := read[command.Request](w, r)
	if err == nil && (m.Action == fact.CommandOpen || m.Action == fact.CommandUpgrade) {
		err = people.ErrRole // they ask for the password
	}
	if err != nil {
		failRetryable(w, err)
		return
	}
	s.ask(w, r, who, m)
}

// ask commands a gate, and answers with the id of the command.
func (s *Server) ask(w http.ResponseWriter, r *http.Request, who people.Session, m command.Request) {
	id, err := s.Commands.Ask(r.Context(), by(who), m)
	answer(w, Commanded{id}, err)
}

// Commanded answers a command: GET /api/commands says by its id what becomes of it.
type Commanded struct {
	ID string `json:"id"`
}

func (s *Server) commands(w http.ResponseWriter, r *http.Request, _ people.Session) {
	list, err := s.Commands.Last(r.Context(), s.now(), r.URL.Query().Get("agent"), commandsShown)
	answer(w, append([]command.Row{}, list...), err)
}
