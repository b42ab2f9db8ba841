package broker

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

func TestABurstIsReadAtOnceAndTheRestAtTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := &rateLimited{ctx: t.Context(), from: bytes.NewReader(make([]byte, maxBurst+10*maxRate)),
			visitor: &visitor{}}
		if _, err := io.CopyN(io.Discard, s, maxBurst); err != nil || time.Since(began) != 0 {
			t.Fatalf("a burst took %s, %v", time.Since(began), err)
		}
		if n, err := io.Copy(io.Discard, s); n != 10*maxRate || err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
		if took := time.Since(began).Round(100 * time.Millisecond); took != 10*time.Second {
			t.Errorf("what takes ten seconds took %s", took)
		}
		// After a while of nothing, another burst.
		time.Sleep(2 * time.Second)
		began = time.Now()
		s.from = bytes.NewReader(make([]byte, maxBurst))
		if n, err := io.Copy(io.Discard, s); n != maxBurst || err != nil || time.Since(began) > 10*time.Millisecond {
			t.Errorf("%d bytes in %s, %v", n, time.Since(began), err)
		}
	})
}
