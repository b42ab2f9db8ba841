package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/gateway/county/db"
	"gatehouse/gateway/doctor"
)

// broken is the collector's configuration with a folder of its own, in which a file was
// changed.
func broken(t *testing.T, c *clinic, name string, text []byte) string {
	t.Helper()
	dir := filepath.Join(c.dir, filepath.Base(t.TempDir()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return inDir(t, c, dir)
}

func storeFaults() []fault {
	return []fault{
		{"a damaged database", func(t *testing.T, c *clinic, _ *patient) string {
			return broken(t, c, "gatehouse.db", []byte("SQLite format 3\x00 and then nothing that it knows"))
		}, "store", doctor.Fail, "gatehouse restore"},
		{"a database of a later version", func(t *testing.T, c *clinic, _ *patient) string {
			file := broken(t, c, "left", nil)
			f, err := db.Open(filepath.Join(filepath.Dir(leftOf(t, c)), "desk.db"), make([]string, 999)...)
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			return file
		}, "store", doctor.Fail, "install that version again"},
		{"an authority that is not mounted", func(t *testing.T, c *clinic, _ *patient) string {
			return edited(t, c.county, "sites:", "ca_dir: gone-ca\nsites:")
		}, "authority", doctor.Fail, "--new-authority"},
		{"an InfluxDB that is not there", func(t *testing.T, c *clinic, _ *patient) string {
			return edited(t, c.county, "sites:", "influx: {url: \"http://"+c.free()+"\", "+
				"bucket: gatehouse/autogen}\nsites:")
		}, "influx", doctor.Fail, "systemctl status influxdb"},
		{"no backup", func(t *testing.T, c *clinic, _ *patient) string {
			return edited(t, c.county, "backup: {dir", "# backup: {dir")
		}, "backup", doctor.Warn, "gatehouse-backup.timer"},
		{"a backup that is old", func(_ *testing.T, c *clinic, p *patient) string {
			p.Clock = shift{72 * time.Hour, true}
			return c.county
		}, "backup", doctor.Warn, "gatehouse backup"},
	}
}

// leftOf returns the newest file left that broken has written.
func leftOf(t *testing.T, c *clinic) string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(c.dir, "*", "left"))
	if err != nil || len(list) == 0 {
		t.Fatalf("no folder: %v", err)
	}
	return list[len(list)-1]
}

func gateFaults() []fault {
	return []fault{
		{"a reader that is unplugged", func(t *testing.T, c *clinic, _ *patient) string {
			return edited(t, c.gate, readerPort(c), "/dev/serial/by-id/usb-gone")
		}, "device", doctor.Fail, "/dev/serial/by-id"},
		{"a program that takes adapters", func(_ *testing.T, c *clinic, p *patient) string {
			p.greedy = []string{"brltty"}
			return c.gate
		}, "device.greedy", doctor.Warn, "apt remove brltty"},
		{"no screen", func(_ *testing.T, c *clinic, p *patient) string {
			p.screens = 0
			return c.gate
		}, "screen", doctor.Warn, "/sys/class/drm"},
		{"no graphics", func(_ *testing.T, c *clinic, p *patient) string {
			p.screens = -1
			return c.gate
		}, "screen", doctor.Unknown, "显卡驱动"},
		{"no sound", func(_ *testing.T, c *clinic, p *patient) string {
			p.sounds = 0
			return c.gate
		}, "sound", doctor.Warn, "alsamixer"},
		{"a journal that can't be read", func(t *testing.T, c *clinic, _ *patient) string {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(c.path("gate/journal"))); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "identity.json"), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
			return edited(t, c.gate, "dir: journal ", "dir: "+dir+" ")
		}, "journal", doctor.Fail, "gatehouse journal verify"},
		{"a gate whose certificate has ended", func(_ *testing.T, c *clinic, p *patient) string {
			p.Clock = shift{200 * 24 * time.Hour, true}
			return c.gate
		}, "certificate", doctor.Fail, "gatehouse enrol --again"},
		{"a clock that is not the county's", func(_ *testing.T, c *clinic, p *patient) string {
			p.Clock = shift{10 * time.Minute, true}
			return c.gate
		}, "clock.county", doctor.Fail, "set-ntp true"},
	}
}

func readerPort(c *clinic) string {
	for _, d := range c.hw.Devices() {
		if d.Model == "rdm6300" {
			return d.Port
		}
	}
	return ""
}

func hostFaults() []fault {
	return []fault{
		{"no time at boot", func(_ *testing.T, c *clinic, p *patient) string {
			p.Clock = shift{-time.Since(time.Unix(0, 0)) + time.Hour, false}
			return c.county
		}, "clock.year", doctor.Fail, "set-time"},
		{"a clock that nobody sets", func(_ *testing.T, c *clinic, p *patient) string {
			p.Clock = shift{0, false}
			return c.county
		}, "clock.sync", doctor.Warn, "systemd-timesyncd"},
		{"another time zone", func(_ *testing.T, c *clinic, p *patient) string {
			p.Zone = time.UTC
			return c.county
		}, "clock.zone", doctor.Warn, "set-timezone Asia/Shanghai"},
		{"no memory", func(_ *testing.T, c *clinic, p *patient) string {
			p.memory = 8 << 20
			return c.county
		}, "memory", doctor.Fail, "--sort=-rss"},
	}
}
