package threats

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/gateway/wire"
)

// consents are who does alone what needs two people, and who has a spreadsheet act for them.
func consents() []Row {
	return []Row{
		{
			ID: "T77", Name: "consent-alone",
			Title:   "somebody agrees to the own request, twice, too late, or without the password",
			Control: "another user agrees, once, within an hour", try: consentAlone,
		},
		{
			ID: "T78", Name: "formulas", where: foreign,
			Title:   "texts of gates and of users are formulas for who opens an export in a spreadsheet",
			Control: "a text that begins like a formula has an apostrophe before it", try: formulas,
		},
	}
}

// traces has a user ask for the passages of a card, which waits for another person. stop ends
// it, and returns what it has printed.
func (c *county) traces(ctx context.Context, as string) (stop func() string) {
	ctx, cancel := context.WithCancel(ctx)
	said := make(chan string, 1)
	go func() {
		text, err := fed(ctx, password+"\n"+resident.Card+"\n", c.gatehouse, "trace", "--as", as,
			"--config", c.path("collect.yaml"))
		said <- fmt.Sprint(text, err)
	}()
	return func() string { cancel(); return <-said }
}

// asksFor is a request for a second person, as the desk lists it.
type asksFor struct {
	ID  int64
	Act string
}

// newestConsent returns the request of an act that was made last, once there is one.
func (c *county) newestConsent(ctx context.Context, act string) (r asksFor, err error) {
	if ok := await(ctx, 20*time.Second, func() bool {
		var list []asksFor
		if err = c.admin.get(ctx, "/api/consents", &list); err != nil || len(list) == 0 {
			return err != nil
		}
		r = list[0]
		return r.Act == act
	}); !ok {
		return r, fmt.Errorf("nobody asks for %s", act)
	}
	return r, err
}

// expire lets an hour pass for what was asked for, in the desk's file: the county's clock is
// the computer's.
func (c *county) expire(ctx context.Context) error {
	return change(ctx, c.path("county"), "UPDATE consents SET expires = asked_at")
}

func consentAlone(ctx context.Context, c *county) (string, error) {
	second, err := c.user(ctx, "agrees", "auditor", 160)
	if err != nil {
		return "", err
	}
	duty, err := c.user(ctx, "agrees-not", "duty", 161)
	if err != nil {
		return "", err
	}
	n := 0
	refused := func(b *browser, r asksFor, word, what string) error {
		a, err := b.ask(ctx, http.MethodPost, "/api/consent", fmt.Sprintf(`{"id":%d,"password":%q}`, r.ID, word))
		if err != nil || a.status < http.StatusBadRequest {
			return errors.Join(err, fmt.Errorf("%s: %d", what, a.status))
		}
		n++
		return nil
	}
	stop := c.traces(ctx, "li")
	trace, err := c.newestConsent(ctx, "trace")
	if err == nil {
		err = errors.Join(refused(c.admin, trace, password, "who asks agrees"),
			refused(duty, trace, password, "a role that may not"),
			refused(second, trace, "", "without the password"), c.expire(ctx),
			refused(second, trace, password, "after its end"))
	}
	said := stop()
	if err == nil && strings.Contains(said, "gate-001") {
		err = fmt.Errorf("one person is enough: %s", said)
	}
	if err != nil {
		return "", err
	}
	begin := []string{"end", "begin", "--config", c.path("collect.yaml")}
	if _, err := c.run(ctx, begin...); err != nil {
		return "", err
	}
	end, err := c.newestConsent(ctx, "end")
	if err != nil {
		return "", err
	}
	agree := fmt.Sprintf(`{"id":%d,"password":%q}`, end.ID, password)
	if err := second.is(ctx, http.StatusNoContent, http.MethodPost, "/api/consent", agree); err != nil {
		return "", err
	}
	if err := errors.Join(refused(second, end, password, "twice"), c.expire(ctx)); err != nil {
		return "", err
	}
	if said, err := c.run(ctx, append(begin, "--consent", fmt.Sprint(end.ID))...); err == nil {
		return "", fmt.Errorf("what was agreed to an hour ago is done: %s", said)
	}
	return fmt.Sprintf("%d attempts to agree and one to use it late, all refused; nothing was shown", n), nil
}

func formulas(ctx context.Context, c *county) (string, error) {
	key, err := c.gates[1].key()
	if err != nil {
		return "", err
	}
	m, err := c.hostile(ctx, "gate-002-calculates")
	if err != nil {
		return "", err
	}
	defer m.close()
	begins := []string{"=", "+", "-", "@", "\t=", "＝"}
	for _, begin := range begins {
		text := begin + "HYPERLINK(A1)"
		f := forged{agent: "gate-002", jid: uuid.NewString(), from: 1, key: key,
			body: &wire.Audit{Actor: text, Action: "override", Reason: text}}
		payload, err := f.payload()
		if err != nil {
			return "", err
		}
		if err := m.sends(wire.Topic(countyID, "gate-002", wire.LeafRecords), payload); err != nil {
			return "", err
		}
	}
	if err := c.settled(ctx); err != nil {
		return "", err
	}
	if _, err := c.user(ctx, "=HYPERLINK(A1)", "viewer", 162); err != nil {
		return "", err
	}
	texts := 0
	for _, args := range [][]string{{"export", "--kind", "audit"}, {"audit", "export"}} {
		said, err := c.run(ctx, append(args, "--dir", c.path("county"), "--format", "csv")...)
		if err != nil {
			return "", err
		}
		r := csv.NewReader(strings.NewReader(said))
		r.FieldsPerRecord = -1 // what it says for people comes last
		rows, err := r.ReadAll()
		if err != nil {
			return "", err
		}
		for _, row := range rows {
			for _, cell := range row {
				if !strings.Contains(cell, "HYPERLINK") {
					continue
				}
				texts++
				if strings.ContainsAny(cell[:1], "=+-@\t\r") || strings.HasPrefix(cell, "＝") {
					return "", fmt.Errorf("%v has the cell %q", args, cell)
				}
			}
		}
	}
	if texts < 2*len(begins)+1 {
		return "", fmt.Errorf("only %d texts are in the exports", texts)
	}
	return fmt.Sprintf("%d texts in the exports of records and audit, 0 of them a formula", texts), nil
}
