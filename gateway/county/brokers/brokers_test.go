package brokers

import (
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/identity/authority"
)

func TestTheFilesForEMQX(t *testing.T) {
	c := County{ID: "qinghe", Discovery: true, CA: []byte("ca"), Topics: []string{"tele/+/SENSOR"}, Clients: []Client{
		{"watch", authority.Reader}, {"gate-001", authority.Agent}, {"fogger-1", authority.Machine}}}
	l := Listener{Port: 8883, Inside: 1883, Cert: "/etc/b.pem", Key: "/etc/b.key", TLSMin: "1.2", Dir: "/etc/emqx"}
	texts := map[string]string{}
	for _, f := range c.EMQX(l, "secret") {
		texts[f.Name] = string(f.Text)
	}
	const own = `"gatehouse/v1/qinghe/gate-001/`
	want := strings.Join([]string{
		`{allow, {'and', [{ipaddr, "127.0.0.1"}, {username, "collector"}]}, all, ["gatehouse/v1/qinghe/#"]}.`,
		`{allow, {'and', [{ipaddr, "127.0.0.1"}, {username, "collector"}]}, publish, ["homeassistant/#"]}.
{allow, {'and', [{ipaddr, "127.0.0.1"}, {username, "collector"}]}, subscribe, ["tele/+/SENSOR"]}.`,
		`{allow, {username, "fogger-1"}, publish, ["gatehouse/v1/qinghe/fogger-1/report"]}.`,
		`{allow, {username, "gate-001"}, publish, [` + own + `records", ` + own + `hello", ` + own + `status", ` + own +
			`beat", ` + own + `report", ` + own + `nonce", ` + own +
			`retired"]}.`,
		`{allow, {username, "gate-001"}, subscribe, [` + own + `ack", ` + own + `desk", ` + own +
			`command", ` + own + `retire", ` + own + `policy", ` + own + `policy/#", ` +
			`"gatehouse/v1/qinghe/collector/status"]}.`,
		`{allow, {username, "watch"}, subscribe, ["gatehouse/v1/qinghe/#", "homeassistant/#"]}.`,
		`{deny, all}.`,
	}, "\n") + "\n"
	if _, rules, _ := strings.Cut(texts["acl.conf"], "\n"); rules != want {
		t.Errorf("acl.conf:\n%s\nwant\n%s", rules, want)
	}
	c.Discovery = false // Home Assistant is told nothing: nobody has rights there
	mosquitto, err := c.Mosquitto(l, "secret")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(mosquitto, c.EMQX(l, "secret")...) {
		if strings.Contains(string(f.Text), "homeassistant") {
			t.Errorf("%s has rights for Home Assistant without discovery:\n%s", f.Name, f.Text)
		}
	}
	if got := texts["users.csv"]; got != "user_id,password,is_superuser\ncollector,secret,false\n" {
		t.Errorf("users.csv: %q", got)
	}
	conf := texts["gatehouse.conf"]
	for _, line := range []string{`bootstrap_file = "/etc/emqx/users.csv"`, "peer_cert_as_username = cn",
		"peer_cert_as_clientid = cn", "verify = verify_peer",
		"fail_if_no_peer_cert = true", `bind = "127.0.0.1:1883"`, `bind = "0.0.0.0:8883"`, "no_match = deny",
		`versions = ["tlsv1.3", "tlsv1.2"]`, `path = "/etc/emqx/acl.conf"`} {
		if !strings.Contains(conf, line+"\n") && !strings.Contains(conf, line+"}") {
			t.Errorf("gatehouse.conf has no %s:\n%s", line, conf)
		}
	}
}

func TestTheListOfRevokedCertificatesIsTheAuthoritys(t *testing.T) {
	ca := newAuthority(t)
	at := time.Date(2020, 2, 14, 6, 30, 0, 0, time.UTC)
	text, err := ca.Revoked([]authority.Void{{Serial: big.NewInt(77), At: at}}, at)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	list, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if err := list.CheckSignatureFrom(ca.Certificate()); err != nil {
		t.Error(err)
	}
	if got := list.RevokedCertificateEntries; len(got) != 1 || got[0].SerialNumber.Int64() != 77 ||
		!got[0].RevocationTime.Equal(at) {
		t.Errorf("%+v", got)
	}
}
