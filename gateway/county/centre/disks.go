package centre

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gatehouse/gateway/county/health"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/filesystem"
	"gatehouse/gateway/wire"
)

// lookEvery is the time between two looks at the disks.
const lookEvery = 10 * time.Second

// watchDisks posts whether the county's folders can be written, now and every 10 s. A
// disk that becomes read-only, is full or was taken away is noticed although nothing is
// to be stored.
func (c *county) watchDisks(ctx context.Context) error {
	dirs := []string{c.cfg.Dir}
	own := c.embedded().Dir
	if c.cfg.Broker.External == nil && !strings.HasPrefix(own, c.cfg.Dir+string(filepath.Separator)) {
		dirs = append(dirs, own)
	}
	ctx, cancel := context.WithCancel(ctx)
	tick := time.NewTicker(lookEvery)
	var running sync.WaitGroup
	running.Go(func() {
		defer tick.Stop()
		failed := map[string]bool{}
		for {
			for _, dir := range dirs {
				err := c.lookAtDisk(dir, time.Now())
				if err != nil && !failed[dir] {
					c.log.Error("a disk of the county fails", "dir", dir, "err", err)
				}
				failed[dir] = err != nil
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	c.onClose(func() error {
		cancel()
		running.Wait()
		return nil
	})
	return nil
}

func (c *county) lookAtDisk(dir string, now time.Time) error {
	part := "disk " + dir
	err := filesystem.Try(dir)
	switch {
	case err != nil:
		c.health.Set(part, health.Problem(fact.TroubleDisk, now, err.Error()).Advise(
			"disk.county", "why", err.Error()))
	case c.cfg.Unsafe != "":
		c.health.Set(part, wire.Trouble{Kind: fact.TroubleDisk, Text: c.cfg.Unsafe}.Advise("disk", "why", c.cfg.Unsafe))
	default:
		c.health.Clear(part, fact.TroubleDisk)
	}
	return err
}
