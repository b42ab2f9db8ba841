package clerk

import (
	"context"
	"fmt"
	"net/url"

	"gatehouse/gateway/county/rules"
	"gatehouse/simulator/page"
)

// AddRules keeps a draft of what gates decide by, and returns it.
func (c *Clerk) AddRules(ctx context.Context, key rules.Key, text []byte) (v rules.Version, err error) {
	q := url.Values{"kind": {string(key.Kind)}, "scope": {key.Scope}}
	err = c.as(ctx, func() error {
		v, err = page.AskText[rules.Version](ctx, c.page, "/api/rules/add?"+q.Encode(), text)
		return err
	})
	if err != nil {
		return v, fmt.Errorf("keep a draft of %s: %w", key, err)
	}
	return v, nil
}

// ApproveRules puts a version into force.
func (c *Clerk) ApproveRules(ctx context.Context, v rules.Version) error {
	type do struct {
		ID       int64  `json:"id"`
		Do       string `json:"do"`
		Password string `json:"password"`
	}
	return c.as(ctx, func() error { return page.Post(ctx, c.page, "/api/rules/do", do{v.ID, "approve", password}) })
}

// Standings returns which set of rules each gate has, and which is meant.
func (c *Clerk) Standings(ctx context.Context) (gates []rules.Standing, err error) {
	type list struct {
		Gates []rules.Standing `json:"gates"`
	}
	err = c.as(ctx, func() error {
		l, err := page.Get[list](ctx, c.page, "/api/rules")
		gates = l.Gates
		return err
	})
	return gates, err
}
