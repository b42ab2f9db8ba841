package cli

import (
	"log/slog"
	"runtime/debug"
	"time"

	"gatehouse/gateway/mapped"
)

// started is how long after its start an agent gives back what only the start needed: devices
// are open and the county has been greeted by then, or both are being tried again and again.
const started = 10 * time.Second

// giveBack gives memory back once, when the agent has started; the returned function calls it
// off. A gate computer has little memory, and a browser on it that wants it.
func giveBack(log *slog.Logger) (stop func()) {
	t := time.AfterFunc(started, func() {
		debug.FreeOSMemory()
		released, err := mapped.Release()
		if err != nil {
			log.Warn("pages of the program that only its start needed stay in memory", "err", err)
			return
		}
		log.Debug("pages of the program were given back", "bytes", released)
	})
	return func() { t.Stop() }
}
