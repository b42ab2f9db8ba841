package broker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// connectPacket is a CONNECT of the given version.
func connectPacket(name string, version byte, flags byte, fields ...string) []byte {
	inside := append([]byte{0, byte(len(name))}, name...)
	inside = append(inside, version, flags, 0, 60)
	if version == 5 {
		inside = append(inside, 3, 0x21, 0, 20) // receive maximum
	}
	for _, f := range fields {
		inside = append(append(inside, byte(len(f)>>8), byte(len(f))), f...)
	}
	out := []byte{0x10}
	if len(inside) > 127 {
		return append(append(out, byte(len(inside))|0x80, byte(len(inside)>>7)), inside...)
	}
	return append(append(out, byte(len(inside))), inside...)
}

func TestWhatAClientSaysOfItself(t *testing.T) {
	long := strings.Repeat("x", 200)
	for _, c := range []struct {
		packet []byte
		want   greeting
		what   string
	}{
		{connectPacket("MQTT", 4, 2, "a"), greeting{"MQTT", 4, "a", "", "", "", false}, ""},
		{connectPacket("MQIsdp", 3, 2, long), greeting{"MQIsdp", 3, long, "", "", "", false}, ""},
		{connectPacket("MQTT", 5, 2, "a"), greeting{"MQTT", 5, "a", "", "", "", false}, "MQTT 5"},
		{connectPacket("MQTT", 4, 6, "a", "x/LWT", "bye"), greeting{"MQTT", 4, "a", "x/LWT", "", "", false}, ""},
		{connectPacket("MQTT", 4, 6, "a", "x y/LWT", "bye"),
			greeting{"MQTT", 4, "a", "x y/LWT", "", "", false}, "white space"},
		{connectPacket("MQTT", 4, 0x26, "a", "x/LWT", "bye"), greeting{"MQTT", 4, "a", "x/LWT", "", "", true}, ""},
		{connectPacket("MQTT", 4, 0xC6, "a", "x/LWT", "bye", "gate-1", "p"),
			greeting{"MQTT", 4, "a", "x/LWT", "gate-1", "p", false}, ""},
		{connectPacket("MQTT", 4, 0xC2, "a", "gate-1", "p"), greeting{"MQTT", 4, "a", "", "gate-1", "p", false}, ""},
		{connectPacket("MQTT", 4, 2, "my id"), greeting{"MQTT", 4, "my id", "", "", "", false}, ""},
		{connectPacket("MQTT", 4, 2, "a.b"), greeting{"MQTT", 4, "a.b", "", "", "", false}, ""},
		{connectPacket("MQTT", 4, 2), greeting{"MQTT", 4, "", "", "", "", false}, ""},
		{[]byte{0x10, 0}, greeting{}, ""},
	} {
		got := greet(c.packet)
		what, topic := got.fault().what, got.fault().topic
		if got != c.want || !strings.Contains(what, c.what) || (what == "") != (c.what == "") {
			t.Errorf("% x: %+v, %q", c.packet, got, what)
		}
		if wantTopic := strings.ContainsAny(c.want.will, " "); (topic != "") != wantTopic {
			t.Errorf("topic %q", topic)
		}
		for n := 2; n < len(c.packet); n++ {
			greet(c.packet[:n]) // does not panic
		}
	}
}

func TestConnectsAreMadeAsNatsServerWantsThem(t *testing.T) {
	for _, id := range []string{"a", strings.Repeat("x", 113), strings.Repeat("x", 114), strings.Repeat("x", 115)} {
		old, want := connectPacket("MQIsdp", 3, 2, id), connectPacket("MQTT", 4, 2, id)
		if got := modern(old, admission{}); !bytes.Equal(got, want) {
			t.Errorf("% x, want % x", got, want)
		}
		if got := modern(want, admission{}); !bytes.Equal(got, want) {
			t.Errorf("3.1.1 becomes % x", got)
		}
	}
	will := []string{"my.id *>", "x/LWT", "bye"}
	want := connectPacket("MQTT", 4, 6, "my․id␠＊＞", "x/LWT", "bye")
	for _, packet := range [][]byte{connectPacket("MQTT", 4, 6, will...), connectPacket("MQIsdp", 3, 6, will...)} {
		if got := modern(packet, admission{}); !bytes.Equal(got, want) {
			t.Errorf("% x, want % x", got, want)
		}
	}
	for _, same := range [][]byte{connectPacket("MQTT", 5, 2, "a b"), {0x10, 0}, connectPacket("MQIsdp", 3, 2)[:11]} {
		if got := modern(same, admission{}); !bytes.Equal(got, same) {
			t.Errorf("% x becomes % x", same, got)
		}
	}
	if got := modern(connectPacket("MQIsdp", 3, 2), admission{}); !bytes.Equal(got, connectPacket("MQTT", 4, 2)) {
		t.Errorf("without an id: % x", got)
	}
}

// However the bytes are cut into reads: each topic with white space is found.
func TestTopicsWithWhiteSpaceAreFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		var want []string
		send := func(kind byte, inside []byte) {
			stream = append(stream, kind)
			n := len(inside)
			for n > 127 {
				stream, n = append(stream, byte(n)|0x80), n>>7
			}
			stream = append(append(stream, byte(n)), inside...)
		}
		name := func() []byte {
			some := []string{"a/b", "a b/c", "中文/泵", "x\ty", "", strings.Repeat("z", 300)}
			topic := rapid.SampledFrom(some).Draw(t, "topic")
			if strings.ContainsAny(topic, " \t") {
				want = append(want, topic)
			}
			return append([]byte{byte(len(topic) >> 8), byte(len(topic))}, topic...)
		}
		for range rapid.IntRange(1, 8).Draw(t, "packets") {
			switch rapid.IntRange(0, 2).Draw(t, "kind") {
			case 0:
				send(0x32, append(name(), bytes.Repeat([]byte("x y"), rapid.IntRange(0, 2000).Draw(t, "payload"))...))
			case 1:
				inside := []byte{0, 1}
				send(0x82, append(append(inside, name()...), 1))
			default:
				send(0xC0, nil)
			}
		}
		var got []string
		in := iotest.OneByteReader(bytes.NewReader(stream))
		if rapid.Bool().Draw(t, "whole") {
			in = bytes.NewReader(stream)
		}
		_ = newRelay(io.Discard, in).run(func(p packet) error {
			r := testRules()
			var f fault
			if errors.As(r.sent(t.Context(), p), &f) {
				got = append(got, f.topic)
			}
			return nil
		})
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("found %q, want %q", got, want)
		}
	})
}

func FuzzGreeting(f *testing.F) {
	f.Add(connectPacket("MQIsdp", 3, 6, "a", "b c", "d"))
	f.Add(connectPacket("MQTT", 5, 2, "a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := testRules()
		_ = newRelay(io.Discard, bytes.NewReader(b)).run(func(p packet) error { return r.sent(t.Context(), p) })
		packet, err := readConnect(bytes.NewReader(b))
		if err != nil {
			return
		}
		old := greet(packet)
		now := greet(modern(packet, admission{}))
		if id := idCharacters.Replace(old.client); now.client != id && old.version < version5 || now.will != old.will {
			t.Errorf("%+v becomes %+v", old, now)
		}
	})
}

// lines keeps a log.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// MQTT.js and Paho for Python, as other programs use them: what they may send
// arrives, and what this broker can't do is said with the topic.
func TestClientsOfOtherLanguages(t *testing.T) {
	peers, err := filepath.Abs("../../../.tools/peers")
	if err != nil {
		t.Fatal(err)
	}
	log := &lines{}
	b, err := Start(t.Context(), configOf(t), slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	sub := connect(t, login{url: "tcp://" + b.Addr(), id: "sub"})
	sub.subscribe(t, "#", 1)
	host, port := split(t, b.Addr())
	publish := func(env, program, script string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, append([]string{"testdata/" + script, host, port}, args...)...)
		cmd.Env = append(os.Environ(), env)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s (installed by make tools): %v\n%s", script, err, out)
		}
	}
	js := func(args ...string) { publish("NODE_PATH="+peers+"/node_modules", "node", "publish.js", args...) }
	python := func(args ...string) {
		publish("PYTHONPATH="+peers+"/python", "/usr/bin/python3", "publish.py", args...)
	}
	js("3", "stat/fog/POWER", "ON")
	sub.want(t, "stat/fog/POWER", "ON")
	js("4", "雾炮/流量", "6.2")
	sub.want(t, "雾炮/流量", "6.2")
	python("3", "stat/fog/POWER", "OFF")
	sub.want(t, "stat/fog/POWER", "OFF")
	python("4", "/a//b.c/", "1")
	sub.want(t, "/a//b.c/", "1")
	js("4", "zigbee2mqtt/my pump", "ON") // it may end its connection before it is refused
	python("5", "a", "1")
	said := log.String()
	for _, want := range []string{`topic="zigbee2mqtt/my pump"`, "MQTT 5, and this broker MQTT 3.1.1"} {
		if !strings.Contains(said, want) {
			t.Errorf("the log lacks %s:\n%s", want, said)
		}
	}
	if strings.Contains(said, "level=ERROR") {
		t.Errorf("errors of clients are logged twice:\n%s", said)
	}
}
