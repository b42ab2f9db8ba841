package mavlink

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gomavlib/v3/pkg/dialects/common"
	"github.com/bluenviron/gomavlib/v3/pkg/message"
	"github.com/bluenviron/gomavlib/v3/pkg/streamwriter"

	"gatehouse/firmware-bridge/runs"
)

// recording returns a .tlog of n seconds.
func recording(t testing.TB, n int) []byte {
	t.Helper()
	var log, one bytes.Buffer
	w := writer(t, &one, 1, streamwriter.V2, nil)
	at := time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC)
	for i := range n {
		for _, m := range []message.Message{position(), &common.MessageSysStatus{BatteryRemaining: 90}} {
			one.Reset()
			must(t, w.Write(m))
			log.Write(binary.BigEndian.AppendUint64(nil, uint64(at.Add(time.Duration(i)*time.Second).UnixMicro())))
			log.Write(one.Bytes())
		}
	}
	return log.Bytes()
}

func TestARecordingIsReadThroughDamage(t *testing.T) {
	v := []Vehicle{{System: 1, Machine: "drone-1"}}
	log := recording(t, 10)
	read := func(b []byte) (n, skipped int, err error) {
		last := time.Duration(0)
		skipped, err = ReadLog(bytes.NewReader(b), v, func(machine string, s runs.Sample, _ error) {
			if n++; machine != "drone-1" || s.At.Year() != 2020 || s.T < last {
				t.Errorf("%s %v", machine, s.At)
			}
			last = s.T
		})
		return n, skipped, err
	}
	if n, skipped, err := read(log); n != 20 || skipped != 0 || err != nil {
		t.Errorf("%d samples, %d bytes skipped, %v", n, skipped, err)
	}
	other := []Vehicle{{System: 7, Machine: "drone-7"}}
	_, err := ReadLog(bytes.NewReader(log), other, func(string, runs.Sample, error) {})
	if err == nil || !strings.Contains(err.Error(), "systems [1]") {
		t.Errorf("of another vehicle: %v", err)
	}
	cut := append(bytes.Clone(log[:100]), log[103:]...) // three bytes are lost
	if n, skipped, err := read(cut); n < 18 || skipped == 0 || err != nil {
		t.Errorf("cut: %d samples, %d bytes skipped, %v", n, skipped, err)
	}
	if n, _, err := read(log[:len(log)-5]); n != 19 || err != nil {
		t.Errorf("torn: %d samples, %v", n, err)
	}
	for name, b := range map[string][]byte{"empty": nil, "text": []byte(strings.Repeat("no recording ", 100))} {
		if _, _, err := read(b); !errors.Is(err, ErrLog) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadLog(f *testing.F) {
	f.Add(recording(f, 2))
	f.Fuzz(func(t *testing.T, b []byte) {
		v := []Vehicle{{System: 1, Machine: "drone-1", PumpServo: 1, FlowBattery: 1}}
		_, _ = ReadLog(bytes.NewReader(b), v, func(_ string, s runs.Sample, err error) {
			if err == nil && s.Empty() {
				t.Error("an empty sample")
			}
		})
	})
}
