package bench

import (
	"testing"
	"time"

	"gatehouse/devices"
)

func TestAThermometerWhoseSupplyFailedSendsAgain(t *testing.T) {
	r := newRig(t, "gy-mcu90614")
	<-r.samples
	r.hw.SetFault(FaultBrownOut)
	silent := time.Duration(0)
	for last := time.Now(); silent < time.Second; {
		select {
		case x := <-r.samples:
			silent, last = x.At.Sub(last), x.At
		case <-time.After(20 * time.Second):
			t.Fatal("it sends no more")
		}
	}
	if silent > 10*time.Second {
		t.Fatalf("it was silent for %s", silent)
	}
}

// A card that is there is sent again and again; a reader that is disturbed sends one
// that is not there once, with the right checksum.
func TestReadersSayWhichCardsProveNothingAlone(t *testing.T) {
	r := newRig(t, "mlx90614")
	for name, c := range map[string]struct {
		bytes   string
		repeats bool
	}{
		"RDM6300": {"\x02000000078F88\x03", true},
		"ID-20LA": {"\x0262E3086CED08\r\n\x03", false},
	} {
		r.hw.SendBytes(t.Context(), "reader", []byte(c.bytes))
		if tap, ok := r.next().(devices.Tap); !ok || tap.Repeats != c.repeats {
			t.Errorf("%s: %+v", name, tap)
		}
	}
}

func TestAScannerInContinuousModeIsOneTap(t *testing.T) {
	r := newRig(t, "mlx90614")
	for range 4 {
		r.hw.SendBytes(t.Context(), "scanner", []byte("]Q1VISIT-7\r\n"))
		time.Sleep(600 * time.Millisecond)
	}
	if tap, ok := r.next().(devices.Tap); !ok || tap.Code != "VISIT-7" {
		t.Fatalf("%+v", tap)
	}
	if n := len(r.got); n != 0 {
		t.Fatalf("%d more taps", n)
	}
}
