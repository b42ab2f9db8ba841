package runs

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestAConfigurationIsCheckedAtItsLimits(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		says string // empty: it is good
	}{
		"zero":             {Config{}, ""},
		"tank":             {Config{TankLitres: 100_000}, ""},
		"tank too large":   {Config{TankLitres: 100_001}, "tank_l"},
		"tank below 0":     {Config{TankLitres: -0.1}, "tank_l"},
		"tank no number":   {Config{TankLitres: math.NaN()}, "tank_l"},
		"idle":             {Config{Idle: time.Hour}, ""},
		"idle too long":    {Config{Idle: time.Hour + 1}, "idle"},
		"idle below 0":     {Config{Idle: -1}, "idle"},
		"pause":            {Config{Pause: 24 * time.Hour}, ""},
		"pause too long":   {Config{Pause: 24*time.Hour + 1}, "pause"},
		"pause below 0":    {Config{Pause: -1}, "pause"},
		"holds":            {Config{Holds: 24 * time.Hour}, ""},
		"holds too long":   {Config{Holds: 24*time.Hour + 1}, "holds"},
		"holds below 0":    {Config{Holds: -1}, "holds"},
		"flows":            {Config{MinFlow: 5000, MaxFlow: 5000}, ""},
		"min too large":    {Config{MinFlow: 5001}, "min_flow"},
		"min below 0":      {Config{MinFlow: -0.01}, "min_flow"},
		"min no number":    {Config{MinFlow: math.NaN()}, "min_flow"},
		"max too large":    {Config{MaxFlow: 5001}, "max_flow"},
		"max below 0":      {Config{MaxFlow: -1}, "max_flow"},
		"max no number":    {Config{MaxFlow: math.NaN()}, "max_flow"},
		"rollover":         {Config{Rollover: 1e13}, ""},
		"too large":        {Config{Rollover: 1.1e13}, "rollover_l"},
		"below 0":          {Config{Rollover: -1}, "rollover_l"},
		"resolution":       {Config{Resolution: 1000}, ""},
		"too coarse":       {Config{Resolution: 1001}, "resolution_l"},
		"finer than 0":     {Config{Resolution: -0.001}, "resolution_l"},
		"of no resolution": {Config{Resolution: math.Inf(1)}, "resolution_l"},
	} {
		err := c.cfg.Check()
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}
