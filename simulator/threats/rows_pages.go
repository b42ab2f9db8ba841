package threats

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// pagesDrawn are who has a page run what they have written.
func pagesDrawn() []Row {
	return []Row{{
		ID: "T80", Name: "cross-site-scripting",
		Title:   "names, notes, notices, reasons, alarms and quarantined bytes hold HTML, scripts, URLs and RTL marks",
		Control: "pages draw text only; the content security policy runs no script of theirs", try: crossScript,
	}}
}

// hostileText is what is written wherever somebody may write: it would set window.hit.
const hostileText = `<svg onload=hit=1>`

// hostileTexts are more of them, where there is room.
const hostileTexts = hostileText + `"'><img src=x onerror=hit=1><script>hit=1</script>` +
	`<a href="javascript:hit=1">x</a>{{hit=1}}`

// writeHostile puts hostile texts into the county wherever that is taken.
func (c *county) writeHostile(ctx context.Context) error {
	if _, err := c.user(ctx, hostileText, "auditor", 170); err != nil {
		return err
	}
	if _, err := c.user(ctx, hostileText[:17]+" b>\u202egnp", "viewer", 171); err != nil &&
		!strings.Contains(err.Error(), "name") { // marks that turn text round may be refused
		return err
	}
	until := time.Now().Add(time.Hour).Format(time.RFC3339)
	for path, v := range map[string]any{
		"/api/notice": map[string]string{"zh": hostileTexts, "en": hostileTexts, "until": until},
		"/api/command": map[string]string{"agent": "gate-001", "action": "notice", "zh": hostileTexts,
			"en": hostileTexts, "reason": hostileText},
		"/api/token": map[string]string{"name": "html", "role": "viewer", "until": until, "password": password},
	} {
		if err := c.admin.post(ctx, path, v, nil); err != nil {
			return err
		}
	}
	add := "/api/rules/add?kind=policy&scope=default&note=" + url.QueryEscape(hostileTexts)
	if err := c.admin.is(ctx, http.StatusOK, http.MethodPost, add, rules+"# "+hostileTexts+"\n"); err != nil {
		return err
	}
	if _, err := c.run(ctx, "end", "begin", "--config", c.path("collect.yaml")); err != nil {
		return err
	}
	return c.sendHostile(ctx)
}

// sendHostile sends hostile texts as the second gate.
func (c *county) sendHostile(ctx context.Context) error {
	g := c.gates[1]
	pair, err := g.pair()
	if err != nil {
		return err
	}
	key, err := g.key()
	if err != nil {
		return err
	}
	m, err := c.entered(ctx, login{id: g.id + "-writes", pair: &pair})
	if err != nil {
		return err
	}
	defer m.close()
	topic := wire.Topic(countyID, g.id, wire.LeafRecords)
	for _, body := range []wire.Body{
		&wire.Alarm{ID: "device:" + hostileText, Type: fact.AlarmDeviceFault, State: fact.AlarmRaised,
			Device: hostileText, Detail: hostileTexts},
		&wire.Alarm{ID: "fever:" + hostileText, Type: fact.AlarmFever, State: fact.AlarmRaised, Detail: hostileTexts},
		&wire.Alarm{ID: "x:" + hostileText, Type: hostileText, State: fact.AlarmRaised,
			Detail: "\u202e" + hostileTexts},
		&wire.Audit{Actor: hostileText, Action: hostileText, Reason: hostileTexts},
	} {
		payload, err := forged{agent: g.id, jid: uuid.NewString(), from: 1, body: body, key: key}.payload()
		if err == nil {
			err = m.sends(topic, payload)
		}
		if err != nil {
			return err
		}
	}
	if err := m.sends(topic, []byte(hostileTexts)); err != nil {
		return err
	}
	_, err = c.delivers(ctx, c.gates[0])
	return err
}

// drawn is what a page says of itself.
type drawn struct {
	Hit  bool     // something of a text has run
	Kept []string // what the content security policy has kept from it
	Made int      // elements that a text has made
	Says int      // how often it shows the texts
}

const looks = `({hit: typeof hit != "undefined", kept: window.kept,
	made: document.querySelectorAll("[onload],[onerror],a[href^='javascript:']").length,
	says: document.body.innerText.split("onload=hit").length - 1})`

func crossScript(ctx context.Context, c *county) (string, error) {
	if err := c.writeHostile(ctx); err != nil {
		return "", err
	}
	t, err := c.chromium(ctx, c.admin)
	if err != nil {
		return "", err
	}
	defer t.close()
	pages := []string{"http://" + c.gates[0].kiosk + "/", "http://" + c.gates[1].kiosk + "/"}
	for _, path := range []string{"/", "/account", "/alerts", "/audit", "/checks", "/consents", "/enrol",
		"/gates/gate-001", "/gates/gate-002", "/gates/" + url.PathEscape(hostileText), "/losses", "/machines",
		"/machines/" + url.PathEscape(hostileText), "/notices", "/rules", "/users", "/setup#" + hostileText} {
		pages = append(pages, c.url+path)
	}
	texts, withTexts := 0, 0
	var p drawn
	for _, at := range pages {
		if err := t.goes(ctx, at); err != nil {
			return "", err
		}
		if err := t.evaluate(ctx, looks, &p); err != nil {
			return "", err
		}
		if p.Hit || p.Made > 0 || len(p.Kept) > 0 {
			return "", fmt.Errorf("%s: run: %v, elements made: %d, kept by the policy: %q", at, p.Hit, p.Made, p.Kept)
		}
		if texts += p.Says; p.Says > 0 {
			withTexts++
		}
	}
	if withTexts < 8 {
		return "", fmt.Errorf("only %d pages show the texts: nothing is proved", withTexts)
	}
	// What makes an element is noticed: the policy keeps its script from running, and says so.
	if err := t.evaluate(ctx, fmt.Sprintf("document.body.insertAdjacentHTML('beforeend', %q)", hostileText)+
		"; 0", new(int)); err != nil {
		return "", err
	}
	if ok := await(ctx, 10*time.Second, func() bool {
		return t.evaluate(ctx, looks, &p) == nil && p.Made > 0 && len(p.Kept) > 0
	}); !ok || p.Hit {
		return "", errors.Join(errors.New("an element that a text makes is not noticed"), fmt.Errorf("%+v", p))
	}
	return fmt.Sprintf("%d pages in Chromium, of which %d show the texts, %d times: nothing ran, 0 elements, "+
		"0 reports of the policy", len(pages), withTexts, texts), nil
}
