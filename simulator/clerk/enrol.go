package clerk

import (
	"context"
	"errors"
	"fmt"

	"gatehouse/gateway/county/registry"
	"gatehouse/simulator/page"
)

// Code makes a code with which a gate is put into service, and returns it as it is printed.
func (c *Clerk) Code(ctx context.Context, gate string) (text string, err error) {
	type card struct {
		Text string `json:"text"`
	}
	var cards []card
	err = c.as(ctx, func() error {
		cards, err = page.Ask[[]card](ctx, c.page, "/api/enrol/codes", map[string][]string{"agents": {gate}})
		return err
	})
	if err == nil && len(cards) != 1 {
		err = errors.New("the desk answers without a code")
	}
	if err != nil {
		return "", fmt.Errorf("make a code for %s: %w", gate, err)
	}
	return cards[0].Text, nil
}

// Enrolments returns the gates with their identities, and who waits for a decision.
func (c *Clerk) Enrolments(ctx context.Context) (list registry.List, err error) {
	err = c.as(ctx, func() error {
		list, err = page.Get[registry.List](ctx, c.page, "/api/enrol")
		return err
	})
	return list, err
}

// Approve lets a gate have the certificate that it asks for.
func (c *Clerk) Approve(ctx context.Context, w registry.Waiting) error {
	return c.decide(ctx, map[string]string{"id": w.ID, "do": "approve"})
}

// Revoke makes a gate's certificates void.
func (c *Clerk) Revoke(ctx context.Context, gate string) error {
	return c.decide(ctx, map[string]string{"revoke": gate})
}

func (c *Clerk) decide(ctx context.Context, what map[string]string) error {
	return c.as(ctx, func() error { return page.Post(ctx, c.page, "/api/enrol/decide", what) })
}

// Agree agrees to what somebody else has asked for, by its number.
func (c *Clerk) Agree(ctx context.Context, id int64) error {
	type agree struct {
		ID       int64  `json:"id"`
		Password string `json:"password"`
	}
	return c.as(ctx, func() error { return page.Post(ctx, c.page, "/api/consent", agree{id, password}) })
}
