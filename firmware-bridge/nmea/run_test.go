package nmea

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/devices"
	"gatehouse/firmware-bridge/runs"
)

// refusing is a port that opens only the calls that opens lists, to a line that ends.
type refusing struct {
	devices.Ports

	opens  []int
	calls  int
	opened []string
}

type ended struct{ io.Writer }

func (ended) Read([]byte) (int, error) { return 0, io.EOF }
func (ended) Close() error             { return errors.New("closing fails, too") }

func (p *refusing) Serial(name string, baud int) (io.ReadWriteCloser, error) {
	p.calls++
	p.opened = append(p.opened, fmt.Sprint(name, " ", baud))
	if slices.Contains(p.opens, p.calls) {
		return ended{}, nil
	}
	return nil, errors.New("no such port")
}

// tries runs for a while, and returns when something was reported.
func tries(t *testing.T, p *refusing, baud int, length time.Duration) (at []time.Duration, bad []string) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		cfg := Config{Serial: "/dev/gps", Baud: baud, Machine: "fogger-1"}
		if err := Run(ctx, cfg, p, func(machine string, s runs.Sample, err error) {
			if machine != "fogger-1" || !s.Empty() {
				t.Errorf("%s: %+v", machine, s)
			}
			at, bad = append(at, time.Since(began)), append(bad, err.Error())
		}); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != length {
			t.Errorf("it ends after %s", took)
		}
	})
	return at, bad
}

func TestALineIsOpenedAgainMoreAndMoreSeldom(t *testing.T) {
	const ms = time.Millisecond
	var p refusing
	at, bad := tries(t, &p, 0, 19*time.Second)
	want := []time.Duration{0, 250 * ms, 750 * ms, 1750 * ms, 3750 * ms, 7750 * ms, 12750 * ms, 17750 * ms}
	if !slices.Equal(at, want) || bad[0] != "nmea of fogger-1: no such port" || p.opened[0] != "/dev/gps 9600" {
		t.Errorf("%v %q %q", at, bad, p.opened)
	}
	p = refusing{opens: []int{4}}
	at, bad = tries(t, &p, 4800, 3*time.Second)
	want = []time.Duration{0, 250 * ms, 750 * ms, 1750 * ms, 2000 * ms, 2500 * ms}
	if !slices.Equal(at, want) || !strings.Contains(bad[3], "read: EOF") || p.opened[0] != "/dev/gps 4800" {
		t.Errorf("after one that opens: %v %q %q", at, bad, p.opened)
	}
}

func TestWhatAReceiverNeeds(t *testing.T) {
	for c, ok := range map[Config]bool{
		{Serial: "/dev/gps", Machine: "fogger-1"}: true, {Serial: "/dev/gps"}: false, {Machine: "fogger-1"}: false,
	} {
		if err := c.Check(); (err == nil) != ok {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A sentence without a checksum is believed when it goes as far as its date.
func TestTheFewestFieldsWithoutAChecksum(t *testing.T) {
	if _, ok, err := Parse("$" + rmc9); !ok || err != nil {
		t.Errorf("ten fields: %v", err)
	}
	if _, ok, err := Parse("$GPRMC,123519,A," + where + ",002.4,084.4"); ok || !errors.Is(err, errNoSum) {
		t.Errorf("nine fields: %v", err)
	}
}
