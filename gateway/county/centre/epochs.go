package centre

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"gatehouse/gateway/config"
	"gatehouse/gateway/county/epochs"
	"gatehouse/gateway/identity"
)

// turnEvery is how often the county looks whether another epoch is to begin.
const turnEvery = time.Minute

// EpochsDir is where the secrets of epochs lie: beside the authority, apart from what is
// backed up.
func (c Config) EpochsDir() string { return filepath.Join(c.authorityDir(), "epochs") }

// startEpochs opens the epochs, and makes and removes their secrets when that is due. A
// county that names no people for them goes on with one key for all gates.
func (c *county) startEpochs(ctx context.Context) error {
	if c.cfg.Epochs == nil {
		c.log.Warn("all gates have one key for pseudonyms, for ever: who takes one gate away can find the cards " +
			"of all; name people under epochs: in the collector's configuration, see deploy/PRIVACY.md")
		return nil
	}
	zone, err := config.Zone(c.cfg.TimeZone)
	if err != nil {
		return fmt.Errorf("time_zone: %w", err)
	}
	e, err := epochs.Open(c.cfg.EpochsDir(), *c.cfg.Epochs, zone, c.sites.Agents(), time.Now())
	if err != nil {
		return err
	}
	c.epochs = e
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { c.turnEpochs(ctx) })
	c.onClose(func() error {
		cancel()
		wg.Wait()
		return nil
	})
	return nil
}

func (c *county) turnEpochs(ctx context.Context) {
	tick := time.NewTicker(turnEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if err := c.epochs.Turn(now); err != nil {
				c.log.Error("the next epoch's secret can't be made, or a former one removed; the collector tries "+
					"again every minute", "dir", c.cfg.EpochsDir(), "err", err)
			}
		}
	}
}

// ring returns the keys for pseudonyms of a gate.
func (c *county) ring(agent string, now time.Time) (identity.Ring, error) {
	if c.epochs == nil {
		return identity.LoadRing(c.siteKeyFile())
	}
	return c.epochs.GateKeys(agent, now)
}

// knowsKey reports whether a key is one of a gate's.
func (c *county) knowsKey(agent, keyID string) bool {
	return keyID == c.siteKeyID || c.epochs != nil && c.epochs.Knows(agent, keyID, time.Now())
}
