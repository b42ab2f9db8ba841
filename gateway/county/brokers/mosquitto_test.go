package brokers

import (
	"crypto/tls"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/gateway/identity/authority"
)

const ours = "gatehouse/v1/qinghe/"

func TestMosquittoLetsInWhomTheCountyKnows(t *testing.T) {
	b := newBench(t)
	long := 24 * time.Hour
	gate := issue(t, b.ca, "gate-001", authority.Agent, long)
	for name, x := range map[string]struct {
		args []string
		ok   bool
	}{
		"a gate":                {b.over(gate), true},
		"no certificate":        {b.over(pair{}), false},
		"foreign":               {b.over(issue(t, newAuthority(t), "gate-001", authority.Agent, long)), false},
		"ended":                 {b.over(issue(t, b.ca, "gate-001", authority.Agent, -time.Minute)), false},
		"the collector":         {b.inside(), true},
		"inside, no password":   {b.inside()[:4], false},
		"inside, another one's": {append(b.inside()[:4], "-u", "gate-001", "-P", "x"), false},
		"a wrong password":      {append(b.inside()[:6], "-P", "x"), false},
	} {
		args := append(x.args, "-t", ours+"gate-001/beat", "-m", "x", "-q", "1")
		if got := publishes(t, args); got != x.ok {
			t.Errorf("%s: comes in: %t", name, got)
		}
	}
	own, err := tls.LoadX509KeyPair(gate.cert, gate.key)
	if err != nil {
		t.Fatal(err)
	}
	for version, ok := range map[uint16]bool{tls.VersionTLS12: false, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", "127.0.0.1:"+strconv.Itoa(b.listener.Port), &tls.Config{MaxVersion: version,
			Certificates: []tls.Certificate{own}, InsecureSkipVerify: true}) //nolint:gosec // the broker is ours
		if err == nil {
			conn.Close()
		}
		if (err == nil) != ok {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
}

func TestMosquittoKeepsEachToItsOwnTopics(t *testing.T) {
	b := newBench(t)
	eye := listen(t, b.inside("-t", ours+"#", "-t", "tele/+/SENSOR"))
	spy := listen(t, b.over(issue(t, b.ca, "gate-002", authority.Agent, time.Hour),
		"-t", "#", "-t", ours+"#", "-t", ours+"+/ack", "-t", "$share/g/"+ours+"gate-001/ack", "-t", "$SYS/#",
		"-t", ours+"gate-002/ack", "-t", ours+"collector/status"))
	watch := listen(t, b.over(issue(t, b.ca, "grafana", authority.Reader, time.Hour), "-t", ours+"#"))
	for name, leaves := range map[string][2]string{ // what each may publish, and what not
		"gate-001": {"gate-001/records gate-001/hello gate-001/status gate-001/beat gate-001/report",
			"gate-001/ack gate-002/records collector/status x/y"},
		"fogger-1": {"fogger-1/report", "fogger-1/records fogger-1/status gate-001/report"},
		"watch":    {"", "watch/report watch/status collector/status gate-001/ack gate-001/records"},
	} {
		var kind authority.Kind
		for _, c := range b.county.Clients {
			if c.Name == name {
				kind = c.Kind
			}
		}
		p := issue(t, b.ca, name, kind, time.Hour)
		for _, leaf := range strings.Fields(leaves[1]) {
			publishes(t, b.over(p, "-t", ours+leaf, "-m", "forged", "-q", "1", "-r"))
		}
		var want []string
		for _, leaf := range strings.Fields(leaves[0]) {
			if !publishes(t, b.over(p, "-t", ours+leaf, "-m", "genuine", "-q", "1")) {
				t.Errorf("%s may not publish on %s", name, leaf)
			}
			want = append(want, ours+leaf+" genuine")
		}
		publishes(t, b.inside("-t", ours+"collector/beat", "-m", "end of "+name, "-q", "1"))
		for who, e := range map[string]*ear{"the collector": eye, "the reader": watch} {
			if got := e.until(t, "end of "+name); strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("%s hears of %s:\n%s\nwant\n%s", who, name, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
	for _, topic := range []string{"gate-001/ack", "gate-002/ack", "collector/status"} {
		publishes(t, b.inside("-t", ours+topic, "-m", "x", "-q", "1"))
	}
	if got := strings.Join(spy.until(t, ours+"collector/status"), "\n"); got != ours+"gate-002/ack x" {
		t.Errorf("gate-002 hears\n%s", got)
	}
}

// What Home Assistant is told is the collector's alone to say; a reader, which Home Assistant
// is, hears it, and agents do neither.
func TestMosquittoLetsOnlyTheCollectorTellHomeAssistant(t *testing.T) {
	b := newBench(t)
	const topic = "homeassistant/device/gatehouse-qinghe-gate-gate-001/state"
	home := listen(t, b.over(issue(t, b.ca, "grafana", authority.Reader, time.Hour), "-t", "homeassistant/#"))
	spy := listen(t, b.over(issue(t, b.ca, "gate-001", authority.Agent, time.Hour), "-t", "homeassistant/#",
		"-t", ours+"gate-001/ack"))
	for name, kind := range map[string]authority.Kind{"watch": authority.Reader, "gate-002": authority.Agent} {
		publishes(t, b.over(issue(t, b.ca, name, kind, time.Hour), "-t", topic, "-m", "forged", "-q", "1"))
	}
	publishes(t, b.inside("-t", topic, "-m", "genuine", "-q", "1"))
	publishes(t, b.inside("-t", ours+"gate-001/ack", "-m", "end", "-q", "1"))
	if got := home.until(t, "genuine"); len(got) > 0 {
		t.Errorf("Home Assistant hears %q", got)
	}
	if got := spy.until(t, "end"); len(got) > 0 {
		t.Errorf("a gate hears %q", got)
	}
}

// The name of a certificate is the client id: nobody throws another one off.
func TestMosquittoTakesNoStolenClientID(t *testing.T) {
	b := newBench(t)
	victim := listen(t, b.over(issue(t, b.ca, "gate-001", authority.Agent, time.Hour), "-i", "gate-001",
		"-t", ours+"gate-001/ack"))
	thief := issue(t, b.ca, "gate-002", authority.Agent, time.Hour)
	for range 5 {
		publishes(t, b.over(thief, "-i", "gate-001", "-u", "gate-001", "-t", ours+"gate-002/beat", "-m", "x"))
	}
	publishes(t, b.inside("-t", ours+"gate-001/ack", "-m", "end", "-q", "1"))
	victim.until(t, "gate-001/ack end")
	for {
		select {
		case line := <-victim.lines:
			if strings.Contains(line, "CONNECT") {
				t.Error("the victim had to connect again")
			}
			continue
		default:
		}
		break
	}
}

// After the files were written again, a reload takes a revoked gate's rights, and a restart
// keeps it out.
func TestMosquittoKeepsOutWhoIsRevoked(t *testing.T) {
	b := newBench(t)
	gate := issue(t, b.ca, "gate-001", authority.Agent, time.Hour)
	other := issue(t, b.ca, "gate-002", authority.Agent, time.Hour)
	live := listen(t, b.over(gate, "-t", ours+"gate-001/ack"))
	eye := listen(t, b.inside("-t", ours+"#"))
	b.county.Clients = b.county.Clients[:0]
	b.county.Clients = append(b.county.Clients, Client{"gate-002", authority.Agent})
	b.write(gate)
	b.broker.Reload()
	for deadline := time.Now().Add(patience); ; {
		publishes(t, b.over(gate, "-t", ours+"gate-001/beat", "-m", "forged", "-q", "1"))
		publishes(t, b.inside("-t", ours+"gate-001/ack", "-m", "x", "-q", "1"))
		publishes(t, b.over(other, "-t", ours+"gate-002/beat", "-m", "end", "-q", "1"))
		if got := eye.until(t, "gate-002/beat end"); len(got) == 1 {
			break // the acknowledgement, which the collector hears itself, and nothing of the gate's
		}
		if time.Now().After(deadline) {
			t.Fatal("a revoked gate publishes after the reload")
		}
	}
	publishes(t, b.inside("-t", ours+"gate-001/ack", "-m", "secret", "-q", "1"))
	eye.until(t, "secret")
	_ = live.cmd.Process.Signal(syscall.SIGTERM) // it writes what it has
	for line := range live.lines {
		if strings.Contains(line, "secret") {
			t.Error("a revoked gate receives after the reload")
		}
	}
	b.broker.Kill()
	b.broker.Run(t)
	for name, x := range map[string]struct {
		p  pair
		ok bool
	}{"revoked": {gate, false}, "another": {other, true}} {
		if got := publishes(t, b.over(x.p, "-t", ours+"gate-002/beat", "-m", "x", "-q", "1")); got != x.ok {
			t.Errorf("%s: comes in after a restart: %t", name, got)
		}
	}
}
