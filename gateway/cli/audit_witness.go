package cli

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/centre"
	"gatehouse/gateway/county/store"
	"gatehouse/gateway/identity"
	"gatehouse/gateway/wire"
)

// witnesses returns the heads that gates have journalled and that the county's key has
// signed, and how many others each gate has journalled.
func (f *auditVerify) witnesses(
	ctx context.Context, cfg centre.Config,
) (*audit.Witnesses, map[string]int, error) {
	heads, strange := &audit.Witnesses{}, map[string]int{}
	key, err := identity.LoadCollectorPublic(filepath.Join(cfg.Dir, "collector.pub"))
	if err != nil {
		return nil, nil, err
	}
	a, err := centre.OpenReadOnly(cfg)
	if errors.Is(err, fs.ErrNotExist) {
		return heads, strange, nil // nothing was stored yet
	}
	if err != nil {
		return nil, nil, err
	}
	defer a.Close()
	for row, err := range a.Rows(ctx, store.Query{Kind: wire.KindAudit}) {
		if err != nil {
			return nil, nil, err
		}
		w, is := witness(row)
		switch {
		case w == nil:
		case is.Verify(key) != nil:
			strange[row.Agent]++
		default:
			heads.Add(*w)
		}
	}
	return heads, strange, nil
}

// witness returns the head that a record of a gate holds; nil: none.
func witness(row store.Row) (*audit.Witness, wire.AuditHead) {
	rec, err := wire.DecodeRecord(row.Raw)
	if err != nil {
		return nil, wire.AuditHead{}
	}
	body, err := rec.DecodeBody()
	if err != nil {
		return nil, wire.AuditHead{}
	}
	b, ok := body.(*wire.Audit)
	if !ok || b.Head == nil {
		return nil, wire.AuditHead{}
	}
	w := audit.Witness{Head: audit.Head{N: b.Head.N}, Gate: row.Agent, At: row.At}
	_ = w.Hash.UnmarshalText([]byte(b.Head.Hash)) // one that is none is not signed
	return &w, *b.Head
}
