package station

import (
	"context"
	"image"
	"time"

	"gatehouse/devices"
	"gatehouse/gateway/retry"
)

// How often a display is shown its picture, and how long after an error it is opened
// again.
const (
	pictureEvery = 100 * time.Millisecond
	displayRetry = 2 * time.Second
)

// shower shows pictures on a display. It is a devices.Sensor, so that a display has the
// same states as the sensors of the gate: Next returns an error when the display fails,
// and no reading when it works, once each. What it waits for delays nobody else.
type shower struct {
	display devices.Display
	name    string // in the configuration
	picture func(device string) image.Image

	works, failed bool
}

// Next implements devices.Sensor.
func (s *shower) Next(ctx context.Context) (devices.Reading, error) {
	for ctx.Err() == nil {
		err := s.display.Draw(s.picture(s.name))
		switch {
		case err == nil && !s.works:
			s.works, s.failed = true, false
			return nil, nil
		case err == nil:
			retry.Sleep(ctx, pictureEvery)
		case s.failed:
			retry.Sleep(ctx, displayRetry)
		default:
			s.works, s.failed = false, true
			return nil, err
		}
	}
	return nil, ctx.Err()
}

// end darkens the display: what it showed last is not true any more.
func (s *shower) end() error { return s.display.Off() }
