package wire

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"

	"gatehouse/gateway/fact"
)

func sampleCommand() Command {
	return Command{V: 1, ID: "5b1f0c7e2a9d4386", Action: fact.CommandNotice, Lane: "west", Zh: "西门开放", En: "Open",
		Operator: "wang", Reason: "救护车", Nonce: "c0ffee1234567890", ExpiresMS: 10_000}
}

func TestACommandIsBelievedOnlyAsItWasSigned(t *testing.T) {
	key := testKey()
	good := SignCommand(sampleCommand(), "yuncheng", "gate-017", key)
	if err := errors.Join(good.Check(), VerifyCommand(good, "yuncheng", "gate-017", publicKey(key))); err != nil {
		t.Fatal(err)
	}
	for what, edit := range map[string]func(*Command){
		"another id":         func(c *Command) { c.ID = "5b1f0c7e2a9d4387" },
		"another action":     func(c *Command) { c.Action = fact.CommandOpen },
		"another lane":       func(c *Command) { c.Lane = "east" },
		"another text":       func(c *Command) { c.Zh = "西门关闭" },
		"another operator":   func(c *Command) { c.Operator = "li" },
		"another reason":     func(c *Command) { c.Reason = "" },
		"another nonce":      func(c *Command) { c.Nonce = "c0ffee1234567891" },
		"no nonce":           func(c *Command) { c.Nonce = "" },
		"a later end":        func(c *Command) { c.ExpiresMS++ },
		"a line break":       func(c *Command) { c.Zh, c.En = "西门开放\nOpen", "" },
		"fields that change": func(c *Command) { c.Zh, c.En = c.En, c.Zh },
		"no signature":       func(c *Command) { c.Sig = "" },
		"a version":          func(c *Command) { c.Version = "1.4.0" },
		"one of an ack":      func(c *Command) { c.Sig = SignAck(sampleAck(), "yuncheng", "gate-017", key).Sig },
	} {
		c := good
		if edit(&c); !errors.Is(VerifyCommand(c, "yuncheng", "gate-017", publicKey(key)), ErrSignature) {
			t.Errorf("%s is believed", what)
		}
	}
	other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))
	for what, err := range map[string]error{
		"another gate":   VerifyCommand(good, "yuncheng", "gate-018", publicKey(key)),
		"another county": VerifyCommand(good, "qinghe", "gate-017", publicKey(key)),
		"another key":    VerifyCommand(good, "yuncheng", "gate-017", publicKey(other)),
	} {
		if !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestWhatACommandMaySay(t *testing.T) {
	for what, c := range map[string]struct {
		edit func(*Command)
		ok   bool
	}{
		"a command":              {func(*Command) {}, true},
		"one that asks":          {func(c *Command) { c.Nonce, c.ExpiresMS = "", 0 }, true},
		"one of a later version": {func(c *Command) { c.Action = "close" }, true},
		"no id":                  {func(c *Command) { c.ID = "" }, false},
		"a short nonce":          {func(c *Command) { c.Nonce = "1" }, false},
		"no end":                 {func(c *Command) { c.ExpiresMS = 0 }, false},
		"an end before":          {func(c *Command) { c.ExpiresMS = -1 }, false},
		"too long":               {func(c *Command) { c.ExpiresMS = 10_001 }, false},
		"an end without a nonce": {func(c *Command) { c.Nonce = "" }, false},
		"nobody":                 {func(c *Command) { c.Operator = "" }, false},
		"no reason":              {func(c *Command) { c.Reason = "" }, false},
		"a long reason":          {func(c *Command) { c.Reason = strings.Repeat("字", MaxReasonRunes+1) }, false},
		"a reversal":             {func(c *Command) { c.Reason = "a\u202eb" }, false},
		"a control":              {func(c *Command) { c.Operator = "wang\x1b[2J" }, false},
		"a notice without text":  {func(c *Command) { c.Zh = "" }, false},
		"an upgrade":             {func(c *Command) { c.Action, c.Version = fact.CommandUpgrade, "1.4.0" }, true},
		"an upgrade to nothing":  {func(c *Command) { c.Action = fact.CommandUpgrade }, false},
		"a notice of a version":  {func(c *Command) { c.Version = "1.4.0" }, false},
		"a version of two lines": {func(c *Command) { c.Action, c.Version = fact.CommandUpgrade, "1\n2" }, false},
		"a long notice":          {func(c *Command) { c.En = strings.Repeat("x", MaxNoticeRunes+1) }, false},
	} {
		x := sampleCommand()
		c.edit(&x)
		if err := x.Check(); (err == nil) != c.ok {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Whatever is published as a command is refused, or is one that can be written again and
// whose texts are lines.
func FuzzCommand(f *testing.F) {
	key := testKey()
	b, err := Encode(SignCommand(sampleCommand(), "yuncheng", "gate-017", key))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(`{"v":1,"id":"5b1f0c7e2a9d4386","action":"open","expires_ms":-1}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := Decode[Command](payload)
		if err != nil || c.Check() != nil {
			return
		}
		again, err := Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		if same, err := Decode[Command](again); err != nil || same != c {
			t.Fatalf("%+v, then %+v: %v", c, same, err)
		}
		signed := SignCommand(c, "yuncheng", "gate-017", key)
		if err := VerifyCommand(signed, "yuncheng", "gate-017", publicKey(key)); err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
	})
}

// checkDocumentedCommands checks the signatures of the commands, the first of which has its
// text beside it.
func checkDocumentedCommands(t *testing.T, texts, messages []string) {
	t.Helper()
	for i, text := range messages {
		c, err := Decode[Command]([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.Check(), VerifyCommand(c, docCounty, docAgent, publicKey(testKey()))); err != nil {
			t.Errorf("command %d: %v; it should be %s", i, err, SignCommand(c, docCounty, docAgent, testKey()).Sig)
		}
		if got := string(signed("gatehouse/v1 command", c.lines(docCounty, docAgent)...)); i == 0 && got != texts[0] {
			t.Errorf("the text under the command's signature is\n%s", got)
		}
	}
}
