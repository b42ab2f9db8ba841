package centre

import (
	"context"
	"path/filepath"
	"time"

	"gatehouse/gateway/county/audit"
	"gatehouse/gateway/county/desk"
)

// openAudit opens the audit, where there is no desk that has done so, and writes that the
// collector starts. Gates deliver although that can't be written: nobody is shown anything
// then.
func (c *county) openAudit(ctx context.Context) error {
	if c.audit == nil {
		file, err := desk.OpenFile(filepath.Join(c.cfg.Dir, DeskFile))
		if err != nil {
			return err
		}
		c.onClose(file.Close)
		c.audit = audit.New(file, time.Now)
	}
	act := audit.Act{Action: audit.Start, Object: "county " + c.cfg.County, Detail: "version " + c.version}
	if err := c.audit.Write(ctx, audit.AtTerminal(), act); err != nil {
		c.log.Error("that the collector starts is not in the audit", "err", err)
	}
	return nil
}
