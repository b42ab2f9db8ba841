package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gatehouse/gateway/doctor"
	"gatehouse/gateway/identity"
)

// edited writes a configuration with something else in it beside the sound one.
func edited(t *testing.T, file string, oldNew ...string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	for i := 0; i < len(oldNew); i += 2 {
		if !strings.Contains(text, oldNew[i]) {
			t.Fatalf("%q is not in\n%s", oldNew[i], text)
		}
		text = strings.Replace(text, oldNew[i], oldNew[i+1], 1)
	}
	sick := filepath.Join(filepath.Dir(file), strings.ReplaceAll(t.Name(), "/", "-")+".yaml")
	if err := os.WriteFile(sick, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return sick
}

// chmod changes the rights of a file for the time of a test.
func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err == nil {
		err = os.Chmod(path, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(path, info.Mode().Perm()) })
}

// inDir is the collector's configuration with another folder.
func inDir(t *testing.T, c *clinic, dir string) string {
	t.Helper()
	return edited(t, c.county, "dir: county", "dir: "+dir, "sites:", "ca_dir: "+dir+"-ca\nsites:")
}

func configFaults() []fault {
	return []fault{
		{"a misspelled key", func(t *testing.T, c *clinic, _ *patient) string {
			return edited(t, c.county, "sites:", "stes:")
		}, "config", doctor.Fail, "gatehouse config check"},
		{"no sites file", func(t *testing.T, c *clinic, _ *patient) string {
			return edited(t, c.county, "sites.yaml", "gone.yaml")
		}, "config", doctor.Fail, "gone.yaml"},
		{"a key that others can read", func(t *testing.T, c *clinic, _ *patient) string {
			chmod(t, c.path("broker.key"), 0o644)
			return c.county
		}, "config", doctor.Fail, "chmod 600"},
		{"a desk that is open without TLS", func(t *testing.T, c *clinic, _ *patient) string {
			return edited(t, c.county, "desk: {listen: \"127.0.0.1", "desk: {listen: \"0.0.0.0")
		}, "config", doctor.Fail, "give tls"},
		{"a gate without its roster", func(t *testing.T, c *clinic, _ *patient) string {
			return edited(t, c.gate, "roster: roster.csv", "roster: gone.csv")
		}, "config", doctor.Fail, "gone.csv"},
	}
}

func diskFaults() []fault {
	small := func(t *testing.T, p *patient) string {
		t.Helper()
		dir := t.TempDir()
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k,mode=700"); err != nil {
			t.Fatalf("mount a small disk (as root): %v", err)
		}
		t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
		p.disk = dir
		return dir
	}
	return []fault{
		{"a folder that others may enter", func(t *testing.T, c *clinic, _ *patient) string {
			chmod(t, c.path("county"), 0o755)
			return c.county
		}, "folder.mode", doctor.Warn, "chmod o-rwx"},
		{"a folder that is gone", func(t *testing.T, c *clinic, _ *patient) string {
			return inDir(t, c, "gone")
		}, "folder.there", doctor.Warn, "findmnt"},
		{"a file that root has left", func(t *testing.T, c *clinic, _ *patient) string {
			left := c.path("county/left")
			if err := os.WriteFile(left, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(left, 12345, -1); err != nil {
				t.Fatalf("give a file away (as root): %v", err)
			}
			t.Cleanup(func() { _ = os.Remove(left) })
			return c.county
		}, "folder.owner", doctor.Fail, "chown -R"},
		{"a folder in memory", func(t *testing.T, c *clinic, p *patient) string {
			return inDir(t, c, small(t, p))
		}, "disk.kind", doctor.Warn, "ext4"},
		{"a full disk", func(t *testing.T, c *clinic, p *patient) string {
			dir := small(t, p)
			_ = os.WriteFile(filepath.Join(dir, "fill"), make([]byte, 1<<20), 0o600) // as much as fits
			return inDir(t, c, dir)
		}, "disk.room", doctor.Fail, "retention"},
		{"a read-only disk", func(t *testing.T, c *clinic, p *patient) string {
			dir := small(t, p)
			if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
				t.Fatal(err)
			}
			return inDir(t, c, dir)
		}, "disk.kind", doctor.Fail, "read-only"},
		{"a slow disk", func(_ *testing.T, c *clinic, p *patient) string {
			p.sync = 300 * time.Millisecond
			return c.county
		}, "disk.speed", doctor.Warn, "iotop"},
	}
}

// paired writes a certificate that ends at a time, and its key.
func paired(t *testing.T, c *clinic, ends time.Time, names ...string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: ends.AddDate(-1, 0, 0), NotAfter: ends,
		DNSNames: names}
	der, err := x509.CreateCertificate(rand.Reader, about, about, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.ReplaceAll(t.Name(), "/", "-")
	c.write(name+".pem", string(identity.PEM(der)))
	c.write(name+".key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text})))
	return name + ".pem", name + ".key"
}

// withTLS is the collector's configuration with a desk that has a certificate.
func withTLS(t *testing.T, c *clinic, ends time.Time, name, url string) string {
	t.Helper()
	cert, key := paired(t, c, ends, name)
	address := strings.TrimPrefix(c.desk, "http://")
	return edited(t, c.county, "desk: {listen: \""+address+"\"", "desk: {listen: \""+address+"\", tls: {cert: "+cert+
		", key: "+key+"}, hosts: ["+name+"]", "urls: [\""+c.desk, "urls: [\""+url)
}

// occupied has another program listen on an address.
func occupied(t *testing.T, c *clinic) string {
	t.Helper()
	at := c.free()
	host, port, _ := strings.Cut(at, ":")
	cmd := exec.CommandContext(t.Context(), "socat", "TCP-LISTEN:"+port+",bind="+host+",fork", "PIPE")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	c.await("socat", func() bool {
		_, taken, err := healthy().Holder(at)
		return taken && err == nil
	})
	return at
}

func networkFaults() []fault {
	year := 365 * 24 * time.Hour
	return []fault{
		{"a port that another program has", func(t *testing.T, c *clinic, _ *patient) string {
			return edited(t, c.county, strings.TrimPrefix(c.desk, "http://"), occupied(t, c))
		}, "port", doctor.Fail, "systemctl disable --now socat"},
		{"a certificate that has ended", func(t *testing.T, c *clinic, _ *patient) string {
			return withTLS(t, c, time.Now().Add(-time.Hour), "localhost", "https://localhost")
		}, "certificate", doctor.Fail, "gatehouse setup --again"},
		{"a certificate that ends soon", func(t *testing.T, c *clinic, _ *patient) string {
			return withTLS(t, c, time.Now().Add(100*time.Hour), "localhost", "https://localhost")
		}, "certificate", doctor.Warn, "gatehouse setup --again"},
		{"a computer that was renamed", func(t *testing.T, c *clinic, _ *patient) string {
			return withTLS(t, c, time.Now().Add(year), "old.localhost", "https://localhost")
		}, "certificate.names", doctor.Fail, "gatehouse setup --again"},
		{"a name that leads elsewhere", func(t *testing.T, c *clinic, _ *patient) string {
			return withTLS(t, c, time.Now().Add(year), "192.0.2.7", "https://192.0.2.7")
		}, "name", doctor.Warn, "getent hosts"},
		{"a broker that is dead", func(t *testing.T, c *clinic, _ *patient) string {
			return edited(t, c.gate, c.broker, c.free())
		}, "broker", doctor.Fail, "BROKERS.md"},
		{"a broker of another authority", func(t *testing.T, c *clinic, _ *patient) string {
			return edited(t, c.gate, "ca: broker.crt", "ca: county-ca.crt")
		}, "broker", doctor.Fail, "BROKERS.md"},
		{"a wrong password at the broker", func(t *testing.T, c *clinic, _ *patient) string {
			return withPassword(t, c)
		}, "broker", doctor.Fail, "password"},
		{"a broker that wants a certificate", func(t *testing.T, c *clinic, _ *patient) string {
			return edited(t, c.county, "{embedded: {listen: \""+c.broker+"\", tls: {cert: enrol/default/broker.crt, "+
				"key: broker.key}}}", "{external: {url: \"ssl://"+c.broker+"\", ca: enrol/default/broker.crt}}")
		}, "broker", doctor.Fail, "give cert and key"},
		{"a desk that is unplugged", func(t *testing.T, c *clinic, _ *patient) string {
			return edited(t, c.gate, c.desk, "http://"+c.free())
		}, "desk.reach", doctor.Warn, "curl -kI"},
	}
}
