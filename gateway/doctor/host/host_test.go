package host

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse/gateway/doctor"
)

func TestAListeningProgramIsFound(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	h, taken, err := Host{}.Holder(address)
	if err != nil || !taken || h.PID != os.Getpid() {
		t.Errorf("%+v, %v, %v", h, taken, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, taken, err := (Host{}).Holder(address); err != nil || taken {
		t.Errorf("a port that is free: %v, %v", taken, err)
	}
	if _, _, err := (Host{}).Holder("no address"); err == nil {
		t.Error("no address has a holder")
	}
}

func TestAddressesOverlap(t *testing.T) {
	for _, c := range []struct {
		local, host string
		port        uint16
		want        bool
	}{
		{"0100007F:1F90", "127.0.0.1", 8080, true},
		{"0100007F:1F90", "127.0.0.1", 8081, false},
		{"0100007F:1F90", "10.0.0.1", 8080, false},
		{"00000000:1F90", "10.0.0.1", 8080, true},
		{"0100007F:1F90", "0.0.0.0", 8080, true},
		{"00000000000000000000000000000000:1F90", "127.0.0.1", 8080, true},
		{"0000000000000000FFFF00000100007F:1F90", "127.0.0.1", 8080, true},
		{"00000000000000000000000001000000:1F90", "::1", 8080, true},
		{"00000000000000000000000001000000:1F90", "127.0.0.1", 8080, false},
		{"0100007F:1F90", "localhost", 8080, true},
		{"nothing", "127.0.0.1", 8080, false},
	} {
		if overlaps(c.local, c.host, c.port) != c.want {
			t.Errorf("%+v", c)
		}
	}
}

// computer writes files below a root.
func computer(t *testing.T, files map[string]string) Host {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		at := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Host{Root: root}
}

func TestWhatTheKernelShowsIsRead(t *testing.T) {
	h := computer(t, map[string]string{
		"proc/meminfo":                        "MemTotal:  512000 kB\nMemFree: 1 kB\nMemAvailable:  64000 kB\n",
		"proc/7/comm":                         "brltty\n",
		"proc/8/comm":                         "bash\n",
		"sys/class/drm/card0-HDMI-A-1/status": "connected\n",
		"sys/class/drm/card0-HDMI-A-2/status": "disconnected\n",
		"proc/asound/cards":                   " 0 [PCH   ]: HDA-Intel - HDA\n      at 0xf7\n",
		"proc/net/tcp":                        "  sl local\n",
	})
	if free, all, err := h.Memory(); err != nil || free != 64000<<10 || all != 512000<<10 {
		t.Errorf("memory %d of %d, %v", free, all, err)
	}
	if got := h.Running("brltty", "ModemManager"); len(got) != 1 || got[0] != "brltty" {
		t.Errorf("running %v", got)
	}
	if n, err := h.Screens(); n != 1 || err != nil {
		t.Errorf("screens %d, %v", n, err)
	}
	if n, err := h.Sounds(); n != 1 || err != nil {
		t.Errorf("sounds %d, %v", n, err)
	}
	bare := computer(t, nil)
	if _, err := bare.Screens(); err == nil {
		t.Error("a computer without graphics has screens")
	}
	if n, err := bare.Sounds(); n != 0 || err != nil {
		t.Errorf("sounds %d, %v", n, err)
	}
	if _, _, err := bare.Memory(); err == nil {
		t.Error("nothing is known of the memory, and no error")
	}
	if _, _, err := bare.Holder("127.0.0.1:1"); err == nil {
		t.Error("nothing is known of the ports, and no error")
	}
}

func TestADeviceThatIsNotThereIsAnError(t *testing.T) {
	for _, d := range []doctor.Device{{Kind: doctor.Serial, Port: "/dev/none", Baud: 9600}, {Kind: doctor.I2C,
		Port: "99"},
		{Kind: doctor.GPIO, Port: "GPIO999"}, {Kind: "telepathy"}} {
		if err := (Host{}).Open(d); err == nil {
			t.Errorf("%+v opens", d)
		}
	}
}

func TestAFolderSaysWhoseItIs(t *testing.T) {
	dir := t.TempDir()
	f, err := Host{}.Folder(dir)
	if err != nil || f.Owner == "" || !f.Mode.IsDir() || len(f.Strangers) > 0 {
		t.Errorf("%+v, %v", f, err)
	}
	if took, err := (Host{}).Sync(t.Context(), dir); err != nil || took <= 0 || took > time.Minute {
		t.Errorf("%s, %v", took, err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
		t.Errorf("it has left %v, %v", list, err)
	}
	if r, err := (Host{}).Room(filepath.Join(dir, "not", "yet")); err != nil || r.Total == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}
