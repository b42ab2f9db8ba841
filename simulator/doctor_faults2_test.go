package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/gateway/county/broker"
	"gatehouse/gateway/county/db"
	"gatehouse/gateway/doctor"
	"gatehouse/gateway/version"
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
		{"an InfluxDB that does not know the token", func(t *testing.T, c *clinic, _ *patient) string {
			return withInflux(t, c, http.StatusUnauthorized, `{"code":"unauthorized","message":"unauthorized access"}`)
		}, "influx", doctor.Fail, "token"},
		{"an InfluxDB that refuses", func(t *testing.T, c *clinic, _ *patient) string {
			return withInflux(t, c, http.StatusServiceUnavailable, `{"error":"engine is closed"}`)
		}, "influx", doctor.Fail, "systemctl status influxdb"},
		{"a backup that has failed", func(_ *testing.T, c *clinic, p *patient) string {
			p.service, p.unit.Active = true, "failed"
			return c.county
		}, "backup", doctor.Warn, "journalctl -u gatehouse-backup"},
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

// withInflux is the collector's configuration with an InfluxDB that answers everything alike.
func withInflux(t *testing.T, c *clinic, status int, text string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text)) // who asks may have gone
	}))
	t.Cleanup(s.Close)
	return edited(t, c.county, "sites:", "influx: {url: \""+s.URL+"\", bucket: gatehouse/autogen}\nsites:")
}

// withPassword is the collector's configuration with a broker elsewhere that knows another
// password than the configuration names.
func withPassword(t *testing.T, c *clinic) string {
	t.Helper()
	c.write("broker-users", "home:$2a$04$IIYXLU9vPEI.o6QUxqxLXOvl2hS4oQzjk9oBpkFk7WdJ3Dq8OhZa2:reader\n")
	c.write("broker-password", "not that one\n")
	b, err := broker.Start(t.Context(), broker.Config{Listen: "127.0.0.1:0", Dir: t.TempDir(),
		UsersFile: c.path("broker-users")}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	b.Admit()
	return edited(t, c.county, "{embedded: {listen: \""+c.broker+"\", tls: {cert: enrol/default/broker.crt, "+
		"key: broker.key}}}", "{external: {url: \"tcp://"+b.Addr()+"\", username: home, "+
		"password_file: broker-password}}")
}

func gateFaults() []fault {
	return []fault{
		{"a version that is not the county's", func(t *testing.T, c *clinic, _ *patient) string {
			was := version.String
			version.String = "9.9.9"
			t.Cleanup(func() { version.String = was })
			return c.gate
		}, "broker", doctor.Warn, "gatehouse upgrade"},
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
		}, "screen", doctor.Unknown, "ls /sys/class/drm"},
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
		{"a service that has failed", func(_ *testing.T, c *clinic, p *patient) string {
			p.service, p.unit.Active = true, "failed"
			return c.county
		}, "service", doctor.Fail, "systemctl restart gatehouse-collect"},
		{"a service that does not start at boot", func(_ *testing.T, c *clinic, p *patient) string {
			p.service, p.unit.Enabled = true, "disabled"
			return c.gate
		}, "service", doctor.Warn, "systemctl enable gatehouse-agent"},
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
