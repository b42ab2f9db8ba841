package broker

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func TestOnlyUsersMayConnect(t *testing.T) {
	cfg := configOf(t)
	cfg.UsersFile = users(t, "gate-017", "collector")
	b := start(t, cfg)
	url := "tcp://" + b.Addr()
	for name, l := range map[string]login{
		"anonymous":        {url: url, id: "x"},
		"no password":      {url: url, id: "x", user: "gate-017"},
		"wrong password":   {url: url, id: "x", user: "gate-017", password: "gate-018!"},
		"unknown user":     {url: url, id: "x", user: "gate-018", password: "gate-018!"},
		"own, no password": {url: url, id: "x", user: ownName},
	} {
		if _, err := dial(t, l); err == nil {
			t.Errorf("%s: connected", name)
		}
	}
	as(t, b, "gate-017")
	as(t, b, "collector")
}

func TestThisProcessHasItsOwnUser(t *testing.T) {
	cfg := configOf(t)
	cfg.UsersFile = users(t, "gate-017")
	b := start(t, cfg)
	own := b.Client()
	password, err := os.ReadFile(own.PasswordFile)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(own.PasswordFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the password's file: %v, %v", info.Mode(), err)
	}
	county := connect(t, login{url: own.URL, id: "county", user: own.Username,
		password: strings.TrimSpace(string(password))})
	if granted := county.subscribe(t, "gatehouse/v1/qinghe/+/records", 1); granted != 1 {
		t.Fatalf("granted %d", granted)
	}
	as(t, b, "gate-017").publish(t, "gatehouse/v1/qinghe/gate-017/records", 1, false, "a")
	county.want(t, "gatehouse/v1/qinghe/gate-017/records", "a")
}

func TestAnAgentMayPublishOnlyBelowItsOwnID(t *testing.T) {
	cfg := configOf(t)
	cfg.UsersFile = users(t, "gate-017", "gate-018", "collector")
	b := start(t, cfg)
	all := as(t, b, "collector")
	all.subscribe(t, "gatehouse/v1/#", 1)
	for _, topic := range []string{
		"gatehouse/v1/qinghe/gate-018/records",
		"gatehouse/v1/qinghe/gate-018/status",
		"gatehouse/v1/qinghe/collector/status",
		"gatehouse/v1/gate-017/gate-018/records",
		"gatehouse/v2/qinghe/gate-017/records",
		"gatehouse/v1/qinghe/gate-017",
		"gatehouse/v1/qinghe/gate-0170/records",
		"$JS/API/STREAM/LIST",
		"$MQTT/msgs/gatehouse/v1/qinghe/gate-018/records",
		"else",
	} {
		for _, qos := range []byte{0, 1} {
			c := as(t, b, "gate-017") // the broker may end the connection
			if err := done(c.Publish(topic, qos, true, "forged")); err != nil {
				t.Logf("%s at QoS %d: %v", topic, qos, err)
			}
		}
	}
	gate := as(t, b, "gate-017")
	gate.publish(t, "gatehouse/v1/qinghe/gate-017/records", 1, false, "genuine")
	all.want(t, "gatehouse/v1/qinghe/gate-017/records", "genuine") // and nothing before it
	later := as(t, b, "collector")
	later.subscribe(t, "gatehouse/v1/#", 1)
	gate.publish(t, "gatehouse/v1/qinghe/gate-017/status", 1, false, "end")
	later.want(t, "gatehouse/v1/qinghe/gate-017/status", "end") // and nothing retained before it
}

func TestAnAgentMayReadOnlyBelowItsOwnIDAndTheCollectorsStatus(t *testing.T) {
	cfg := configOf(t)
	cfg.UsersFile = users(t, "gate-017", "gate-018", "collector")
	b := start(t, cfg)
	spy := as(t, b, "gate-018")
	for _, filter := range []string{"#", "gatehouse/#", "gatehouse/v1/+/+/records", "gatehouse/v1/qinghe/gate-017/ack",
		"gatehouse/v1/qinghe/collector/#", "+/+/+/+/+", "$MQTT/#"} {
		if granted := spy.subscribe(t, filter, 1); granted != 128 {
			t.Errorf("%s is granted with QoS %d", filter, granted)
		}
	}
	gate, collector := as(t, b, "gate-017"), as(t, b, "collector")
	for filter, want := range map[string]byte{
		"gatehouse/v1/qinghe/gate-017/#": 0, "gatehouse/v1/qinghe/collector/status": 1,
	} {
		if granted := gate.subscribe(t, filter, 1); granted != want {
			t.Errorf("%s: granted %d", filter, granted)
		}
	}
	collector.publish(t, "gatehouse/v1/qinghe/gate-017/ack", 0, false, "ack")
	gate.want(t, "gatehouse/v1/qinghe/gate-017/ack", "ack")
	collector.publish(t, "gatehouse/v1/qinghe/collector/status", 1, true, "status")
	gate.want(t, "gatehouse/v1/qinghe/collector/status", "status")
	spy.subscribe(t, "gatehouse/v1/qinghe/gate-018/ack", 1)
	collector.publish(t, "gatehouse/v1/qinghe/gate-018/ack", 0, false, "own ack")
	spy.want(t, "gatehouse/v1/qinghe/gate-018/ack", "own ack") // and nothing before it
}

// A user who connects with another user's client id receives none of that user's
// messages.
func TestAStolenClientIDReceivesNoMessages(t *testing.T) {
	cfg := configOf(t)
	cfg.UsersFile = users(t, "gate-017", "gate-018", "collector")
	b := start(t, cfg)
	victim := connect(t, login{url: "tcp://" + b.Addr(), id: "gate-017", user: "gate-017", password: "gate-017!"})
	victim.subscribe(t, "gatehouse/v1/qinghe/gate-017/ack", 1)
	thief := connect(t, login{url: "tcp://" + b.Addr(), id: "gate-017", user: "gate-018", password: "gate-018!"})
	collector := as(t, b, "collector")
	collector.publish(t, "gatehouse/v1/qinghe/gate-017/ack", 1, false, "secret")
	thief.subscribe(t, "gatehouse/v1/qinghe/gate-018/ack", 1)
	collector.publish(t, "gatehouse/v1/qinghe/gate-018/ack", 1, false, "own ack")
	thief.want(t, "gatehouse/v1/qinghe/gate-018/ack", "own ack") // and nothing before it
	victim.want(t, "gatehouse/v1/qinghe/gate-017/ack", "secret") // nor does it end its connection
}

var usersFiles = map[string]struct {
	text string
	err  string // "" when it is accepted
	n    int    // users
}{
	"two":             {"gate-017:" + hashed + "\ncollector:" + hashed + "\n", "", 2},
	"comment, blanks": {"# gates\n\n  gate-017:" + hashed + "  \r\n", "", 1},
	"no line feed":    {"gate-017:" + hashed, "", 1},
	"as htpasswd":     {"gate-017:" + strings.Replace(hashed, "$2a$", "$2y$", 1), "", 1},
	"plain password":  {"gate-017:secret\n", "line 1: user gate-017: no bcrypt hash", 0},
	"kinds":           {"fogger-1:" + hashed + ":machine\nwatch:" + hashed + ":reader\na:" + hashed + ":agent", "", 3},
	"no such kind":    {"a:" + hashed + ":boss", `"boss" is no kind`, 0},
	"a collector":     {"collector:" + hashed + ":reader", `"reader" is no kind`, 0},
	"no colon":        {"gate-017\n", "line 1: user gate-017: no bcrypt hash", 0},
	"bad name":        {"\nGate:" + hashed, `line 2: user id "Gate"`, 0},
	"no name":         {":" + hashed, "line 1: user id", 0},
	"our own name":    {ownName + ":" + hashed, "line 1: user id", 0},
	"twice":           {"a:" + hashed + "\na:" + hashed, "line 2: user a is listed twice", 0},
	"empty":           {"", "lists no user", 0},
	"comments only":   {"#\n", "lists no user", 0},
}

const hashed = "$2a$04$Bl2ZTN/BmgDVaI0UFDh0D.9fEpqzQDcPXCsFUbcOY1vEmCJRBYC3G"

func TestParseUsers(t *testing.T) {
	for name, c := range usersFiles {
		t.Run(name, func(t *testing.T) {
			got, err := parseUsers(c.text)
			if len(got) != c.n || (err == nil) != (c.err == "") ||
				(err != nil && !strings.Contains(err.Error(), c.err)) {
				t.Errorf("%d users, %v; want %d, %q", len(got), err, c.n, c.err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error shows a password: %v", err)
			}
		})
	}
}

func FuzzParseUsers(f *testing.F) {
	for _, c := range usersFiles {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseUsers(text)
		if (err == nil) != (len(got) > 0) {
			t.Fatalf("%d users, %v", len(got), err)
		}
		for name, u := range got {
			if strings.ContainsAny(name, ".*> \t:") || permissions("qinghe", false, u.kind, name) == nil {
				t.Errorf("user %s %+v", name, u)
			}
		}
	})
}

// Only where Home Assistant is told of gates and machines has anybody rights there.
func TestRightsForHomeAssistantAreThereOnlyWithDiscovery(t *testing.T) {
	for _, discovery := range []bool{false, true} {
		for k, want := range map[kind]struct{ publish, subscribe bool }{
			collector: {discovery, discovery}, reader: {false, discovery}, agent: {}, machine: {},
		} {
			p := permissions("qinghe", discovery, k, "x")
			publish, subscribe := slices.Contains(p.Publish.Allow, discoverySubject),
				slices.Contains(p.Subscribe.Allow, discoverySubject)
			if publish != want.publish || subscribe != want.subscribe {
				t.Errorf("%s, discovery %v: publish %v, subscribe %v", k, discovery, publish, subscribe)
			}
		}
	}
	cfg := Config{Listen: "127.0.0.1:0", Dir: t.TempDir(), Discovery: "hass"}
	if err := cfg.Check(); err == nil || !strings.Contains(err.Error(), "write homeassistant") {
		t.Errorf("another system: %v", err)
	}
}
