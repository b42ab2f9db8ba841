package wire

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func sampleManifest() Manifest {
	return Manifest{V: 1, No: 7, Version: "2020-02-14.2 (7)", At: At(testTime), Size: 12,
		Parts: []string{SumPart([]byte("first ")), SumPart([]byte("second"))}}
}

// checkPolicyExample compares WIRE.md's example of a manifest with the code.
func checkPolicyExample(t *testing.T, message, text string) {
	t.Helper()
	m, err := Decode[Manifest]([]byte(message))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(m.Check(), VerifyManifest(m, docCounty, docAgent, publicKey(testKey()))); err != nil {
		t.Errorf("policy: %v; it should be %s", err, SignManifest(m, docCounty, docAgent, testKey()).Sig)
	}
	if got := string(signed("gatehouse/v1 policy", m.lines(docCounty, docAgent)...)); got != text {
		t.Errorf("the text under the policy's signature is\n%s", got)
	}
}

func TestAManifestIsBelievedOnlyAsItWasSigned(t *testing.T) {
	key := testKey()
	good := SignManifest(sampleManifest(), "yuncheng", "gate-017", key)
	if err := VerifyManifest(good, "yuncheng", "gate-017", publicKey(key)); err != nil {
		t.Fatal(err)
	}
	for what, edit := range map[string]func(*Manifest){
		"a higher no":      func(m *Manifest) { m.No++ },
		"another version":  func(m *Manifest) { m.Version += "x" },
		"another time":     func(m *Manifest) { m.At = At(testTime.Add(1)) },
		"another size":     func(m *Manifest) { m.Size++ },
		"a part less":      func(m *Manifest) { m.Parts = m.Parts[:1] },
		"a part more":      func(m *Manifest) { m.Parts = append(m.Parts, m.Parts[0]) },
		"another order":    func(m *Manifest) { slices.Reverse(m.Parts) },
		"another part":     func(m *Manifest) { m.Parts[0] = SumPart([]byte("x")) },
		"two parts in one": func(m *Manifest) { m.Parts = []string{strings.Join(m.Parts, "\n")} },
		"a line break":     func(m *Manifest) { m.Version = "a\nb" },
		"no signature":     func(m *Manifest) { m.Sig = "" },
		"one of a desk":    func(m *Manifest) { m.Sig = SignDesk(sampleDesk(), "yuncheng", "gate-017", key).Sig },
	} {
		m := good
		m.Parts = slices.Clone(good.Parts)
		edit(&m)
		if err := VerifyManifest(m, "yuncheng", "gate-017", publicKey(key)); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
	other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))
	for what, err := range map[string]error{
		"another gate":   VerifyManifest(good, "yuncheng", "gate-018", publicKey(key)),
		"another county": VerifyManifest(good, "qinghe", "gate-017", publicKey(key)),
		"another key":    VerifyManifest(good, "yuncheng", "gate-017", publicKey(other)),
	} {
		if !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestWhatAManifestMaySay(t *testing.T) {
	for what, c := range map[string]struct {
		edit func(*Manifest)
		ok   bool
	}{
		"as it is":              {func(*Manifest) {}, true},
		"as large as it may be": {func(m *Manifest) { m.Parts, m.Size = many512(), MaxParts*MaxPartBytes }, true},
		"no 0":                  {func(m *Manifest) { m.No = 0 }, false},
		"a no too high":         {func(m *Manifest) { m.No = MaxSeq + 1 }, false},
		"no parts":              {func(m *Manifest) { m.Parts = nil }, false},
		"too many parts":        {func(m *Manifest) { m.Parts = append(many512(), m.Parts[0]) }, false},
		"parts of nothing":      {func(m *Manifest) { m.Size = 1 }, false},
		"a negative size":       {func(m *Manifest) { m.Size = -1 }, false},
		"too large":             {func(m *Manifest) { m.Size = len(m.Parts)*MaxPartBytes + 1 }, false},
		"no sum":                {func(m *Manifest) { m.Parts[1] = "" }, false},
		"a sum in capitals":     {func(m *Manifest) { m.Parts[1] = strings.ToUpper(m.Parts[1]) }, false},
		"no version":            {func(m *Manifest) { m.Version = "" }, false},
		"two lines":             {func(m *Manifest) { m.Version = "a\nb" }, false},
		"a reversal":            {func(m *Manifest) { m.Version = "a\u202eb" }, false},
		"Chinese":               {func(m *Manifest) { m.Version = strings.Repeat("字", MaxLabelRunes) }, true},
		"too long":              {func(m *Manifest) { m.Version = strings.Repeat("字", MaxLabelRunes+1) }, false},
	} {
		m := sampleManifest()
		c.edit(&m)
		if err := m.Check(); (err == nil) != c.ok {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func many512() []string { return slices.Repeat([]string{SumPart([]byte("x"))}, MaxParts) }

func TestTheLargestManifestFits(t *testing.T) {
	m := sampleManifest()
	m.Version, m.Parts = strings.Repeat("字", MaxLabelRunes), many512()
	b, err := Encode(SignManifest(m, "yuncheng", "gate-017", testKey()))
	if err != nil || len(b) > MaxManifestBytes {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestAPartIsTheOneThatTheManifestNames(t *testing.T) {
	m := sampleManifest()
	if err := errors.Join(m.CheckPart(0, []byte("first ")), m.CheckPart(1, []byte("second"))); err != nil {
		t.Error(err)
	}
	large := bytes.Repeat([]byte("x"), MaxPartBytes+1)
	m.Parts = append(m.Parts, SumPart(nil), SumPart(large))
	for what, err := range map[string]error{
		"another part": m.CheckPart(1, []byte("first ")),
		"before":       m.CheckPart(-1, []byte("first ")),
		"after":        m.CheckPart(4, []byte("first ")),
		"empty":        m.CheckPart(2, nil),
		"too large":    m.CheckPart(3, large),
	} {
		if err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

func TestTheTopicOfAPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		no, n := rapid.Uint64Range(1, MaxSeq).Draw(t, "no"), rapid.IntRange(0, MaxParts-1).Draw(t, "n")
		topic := PartTopic("yuncheng", "gate-017", no, n)
		county, agent, gotNo, gotN, ok := ParsePartTopic(topic)
		if !ok || county != "yuncheng" || agent != "gate-017" || gotNo != no || gotN != n {
			t.Fatalf("%s is taken apart as %s, %s, %d, %d, %v", topic, county, agent, gotNo, gotN, ok)
		}
	})
	for _, topic := range []string{"", "gatehouse/v1/yuncheng/gate-017/policy",
		"gatehouse/v1/yuncheng/gate-017/policy/1",
		"gatehouse/v1/yuncheng/gate-017/policy/1/", "gatehouse/v1/yuncheng/gate-017/policy/0/1",
		"gatehouse/v1/yuncheng/gate-017/policy/01/1", "gatehouse/v1/yuncheng/gate-017/policy/1/01",
		"gatehouse/v1/yuncheng/gate-017/policy/1/-1", "gatehouse/v1/yuncheng/gate-017/policy/1/512",
		"gatehouse/v1/yuncheng/gate-017/policy/+1/1", "gatehouse/v1/yuncheng/gate-017/policy/1/1/1",
		"gatehouse/v1/yuncheng/gate-017/desk/1/1", "gatehouse/v1/yuncheng/+/policy/1/1",
		"gatehouse/v1/yuncheng/gate-017/policy/9007199254740992/1"} {
		if _, _, _, _, ok := ParsePartTopic(topic); ok {
			t.Errorf("%s is taken for the topic of a part", topic)
		}
	}
}

func FuzzDecodeManifest(f *testing.F) {
	b, err := Encode(SignManifest(sampleManifest(), "yuncheng", "gate-017", testKey()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, PartTopic("yuncheng", "gate-017", 7, 1))
	f.Fuzz(func(t *testing.T, payload []byte, topic string) {
		if county, agent, no, n, ok := ParsePartTopic(topic); ok && PartTopic(county, agent, no, n) != topic {
			t.Errorf("%q is taken apart as %q, %q, %d, %d", topic, county, agent, no, n)
		}
		m, err := Decode[Manifest](payload)
		if err != nil || m.Check() != nil {
			return
		}
		again, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode[Manifest](again); err != nil || got.Check() != nil {
			t.Errorf("%s: %v", again, err)
		}
		for _, line := range m.lines("yuncheng", "gate-017") {
			if strings.ContainsAny(line, "\r\n") {
				t.Errorf("%q is a line", line)
			}
		}
	})
}
