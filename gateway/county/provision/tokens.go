package provision

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// Counts reports whether a token lets somebody in. A token that was deleted does not, though
// another one of its description may be there.
func (i *Influx) Counts(ctx context.Context, token string) (bool, error) {
	_, err := call[struct{}](ctx, i, http.MethodGet, "/api/v2/buckets?limit=1&orgID="+i.org, token, nil)
	if errors.Is(err, errToken) {
		return false, nil
	}
	return err == nil, err
}

func (i *Influx) tokens(ctx context.Context, about string) (ids []string, err error) {
	type token struct{ ID, Description string }
	path := "/api/v2/authorizations?orgID=" + i.org
	have, err := call[struct{ Authorizations []token }](ctx, i, http.MethodGet, path, i.opts.Admin, nil)
	if err != nil {
		return nil, fmt.Errorf("list the tokens: %w", err)
	}
	for _, a := range have.Authorizations {
		if a.Description == about {
			ids = append(ids, a.ID)
		}
	}
	return ids, nil
}
