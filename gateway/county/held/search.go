package held

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/wire"
)

// place is where a record stands.
type place struct {
	jid string
	seq uint64
}

// search is a search that is on.
type search struct {
	who    Subject
	from   Sources
	report *Report

	passages map[place]bool // of the card
	readings map[place]bool // that these were decided on
	unlinked map[[2]string]*Unlinked
}

// records looks through the store. Passages come first: they say which readings, acts and
// alarms are the card's.
func (s *search) records(ctx context.Context) error {
	for _, kind := range []wire.Kind{wire.KindPassage, wire.KindReading, wire.KindAudit, wire.KindAlarm} {
		for row, err := range s.from.Records.Rows(ctx, store.Query{Kind: kind}) {
			if err != nil {
				return fmt.Errorf("look through the records: %w", err)
			}
			if err := s.record(row); err != nil {
				if s.report.Limits.Unreadable == nil {
					s.report.Limits.Unreadable = map[string]int{}
				}
				s.report.Limits.Unreadable[row.Agent]++
			}
		}
	}
	return nil
}

func (s *search) record(row store.Row) error {
	rec, err := wire.DecodeRecord(row.Raw)
	if err != nil {
		return err
	}
	body, err := rec.DecodeBody()
	if err != nil {
		return err
	}
	at, g := place{row.JID, row.Seq}, &s.report.Gates
	of := Record{Gate: row.Agent, At: row.At.UTC(), Journal: row.JID, Seq: row.Seq}
	switch b := body.(type) {
	case *wire.Passage:
		if s.isOf(of, b.Credential) {
			g.Passages = append(g.Passages, Passage{of, b})
			s.passages[at] = true
			for _, seq := range b.Readings {
				s.readings[place{row.JID, seq}] = true
			}
		}
	case *wire.Reading:
		if s.isOf(of, b.Credential) || s.readings[at] {
			g.Readings = append(g.Readings, Reading{of, b})
		}
	case *wire.Audit:
		if b.Passage != 0 && s.passages[place{row.JID, b.Passage}] {
			g.Guards = append(g.Guards, Act{of, b})
		}
	case *wire.Alarm:
		if b.Passage != 0 && s.passages[place{row.JID, b.Passage}] {
			g.Alarms = append(g.Alarms, Alarm{of, b})
		}
	}
	return nil
}

// isOf reports whether a record is the card's, and counts those of which nobody can tell.
func (s *search) isOf(r Record, name string) bool {
	if name == "" || s.who.Names[name] {
		return name != ""
	}
	key := identity.KeyOf(name)
	if s.who.Keys[key] {
		return false
	}
	u := s.unlinked[[2]string{r.Gate, key}]
	if u == nil {
		u = &Unlinked{Gate: r.Gate, Key: key, Oldest: r.At, Newest: r.At}
		s.unlinked[[2]string{r.Gate, key}] = u
	}
	u.Records++
	if r.At.Before(u.Oldest) {
		u.Oldest = r.At
	}
	if r.At.After(u.Newest) {
		u.Newest = r.At
	}
	return false
}

// alerts looks through the desk's alerts.
func (s *search) alerts(ctx context.Context) error {
	journals := map[string][]uint64{}
	for at := range s.passages {
		journals[at.jid] = append(journals[at.jid], at.seq)
	}
	for _, jid := range slices.Sorted(maps.Keys(journals)) {
		list, err := s.from.Alerts(ctx, jid, journals[jid])
		if err != nil {
			return err
		}
		for _, a := range list {
			s.report.Gates.Alerts = append(s.report.Gates.Alerts, Alert{a})
		}
	}
	return nil
}

// mostQuarantined bounds the messages in quarantine that are looked at.
const mostQuarantined = 100_000

// books looks through the quarantine, and for what was removed.
func (s *search) books(ctx context.Context) error {
	list, err := s.from.Books.Quarantined(ctx, mostQuarantined)
	if err != nil {
		return fmt.Errorf("look through the quarantine: %w", err)
	}
	for _, q := range list {
		for name := range s.who.Names {
			if bytes.Contains(q.Raw, []byte(name)) {
				s.report.Gates.Quarantine = append(s.report.Gates.Quarantine,
					Isolated{q.ID, q.Agent, q.At.UTC(), q.Reason})
				break
			}
		}
	}
	gone, err := s.from.Books.Expired(ctx)
	if err != nil {
		return fmt.Errorf("read what retention has removed: %w", err)
	}
	for _, x := range gone {
		switch x.Kind {
		case wire.KindPassage, wire.KindReading, wire.KindAudit, wire.KindAlarm:
			s.report.Limits.Removed = append(s.report.Limits.Removed,
				Removed{x.Agent, x.Kind, x.Oldest.UTC(), x.Newest.UTC(), x.Records})
		}
	}
	return nil
}

// looks looks through the audit: who looked at the passages or traced the card, and passes
// that were issued and then shown.
func (s *search) looks(context.Context) error {
	about := map[string]bool{}
	for name := range s.who.Names {
		about["pseudonym "+name] = true
	}
	for _, p := range s.report.Gates.Passages {
		about[fmt.Sprintf("passage %s/%d", p.Journal, p.Seq)] = true
		about[fmt.Sprintf("passage %s/%d", p.Gate, p.Seq)] = true
		if b := p.Passage.Basis; b != nil && b.Pass != "" {
			about["pass "+b.Pass] = true
		}
	}
	for e, err := range s.from.Audit {
		if err != nil {
			return fmt.Errorf("look through the audit: %w", err)
		}
		if about[e.Object] && e.Action != audit.AskConsent {
			s.report.Looks = append(s.report.Looks,
				Look{e.N, e.At.UTC(), e.Actor, e.Role, e.Action, e.Object, e.Detail})
		}
	}
	return nil
}

// conclude sorts what was found, and says which episodes and quotas are the newest.
func (s *search) conclude() {
	g := &s.report.Gates
	slices.SortStableFunc(g.Passages, func(a, b Passage) int { return a.At.Compare(b.At) })
	slices.SortStableFunc(g.Readings, func(a, b Reading) int { return a.At.Compare(b.At) })
	slices.SortStableFunc(g.Guards, func(a, b Act) int { return a.At.Compare(b.At) })
	slices.SortStableFunc(g.Alarms, func(a, b Alarm) int { return a.At.Compare(b.At) })
	slices.SortStableFunc(g.Alerts, func(a, b Alert) int { return a.At.Compare(b.At) })
	episodes, quotas := map[string]Episode{}, map[string]Quota{}
	for _, p := range g.Passages {
		if e := p.Passage.Episode; e != nil {
			episodes[p.Journal+" "+e.ID] = Episode{p.Record, *e}
		}
		if b := p.Passage.Basis; b != nil && b.Times > 0 {
			used := b.Used
			if p.Passage.Verdict == fact.VerdictPass {
				used++
			}
			quotas[p.Gate+" "+b.Rule] = Quota{p.Record, b.Rule, used, b.Times, b.Household != ""}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(episodes)) {
		if e := episodes[key]; !episodeOver(e.Episode.Step) {
			g.Episodes = append(g.Episodes, e)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(quotas)) {
		g.Quotas = append(g.Quotas, quotas[key])
	}
	for _, u := range s.unlinked {
		s.report.Limits.Unlinked = append(s.report.Limits.Unlinked, *u)
	}
	slices.SortFunc(s.report.Limits.Unlinked, func(a, b Unlinked) int {
		return strings.Compare(a.Gate+a.Key, b.Gate+b.Key)
	})
}
