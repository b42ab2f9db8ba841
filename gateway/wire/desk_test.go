package wire

import (
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"gatehouse/gateway/fact"
)

func sampleDesk() Desk {
	return Desk{V: 1, No: 7, At: At(testTime),
		Calls: []DeskCall{{ID: "help-called:doctor-42", Asked: At(testTime), State: fact.CallAnswered, At: At(testTime),
			Answer: fact.AnswerOnTheWay, Minutes: 10}, {ID: "help-called:it-0", Asked: At(testTime),
			State: fact.CallAsked, At: At(testTime)}},
		Notices: []DeskNotice{{ID: 3, Zh: "今晚封闭", En: "Closed tonight", Until: At(testTime)}}}
}

func TestTheDeskIsBelievedOnlyAsItWasSigned(t *testing.T) {
	key := testKey()
	good := SignDesk(sampleDesk(), "yuncheng", "gate-017", key)
	if err := VerifyDesk(good, "yuncheng", "gate-017", publicKey(key)); err != nil {
		t.Fatal(err)
	}
	for what, edit := range map[string]func(*Desk){
		"a higher no":        func(d *Desk) { d.No++ },
		"another time":       func(d *Desk) { d.At = At(testTime.Add(1)) },
		"no call":            func(d *Desk) { d.Calls = d.Calls[1:] },
		"another id":         func(d *Desk) { d.Calls[0].ID = "help-called:doctor-43" },
		"another call":       func(d *Desk) { d.Calls[0].Asked = At(testTime.Add(1)) },
		"another state":      func(d *Desk) { d.Calls[1].State = fact.CallSeen },
		"another moment":     func(d *Desk) { d.Calls[1].At = At(testTime.Add(1)) },
		"another answer":     func(d *Desk) { d.Calls[0].Answer = fact.AnswerCallUs },
		"other minutes":      func(d *Desk) { d.Calls[0].Minutes = 1 },
		"another number":     func(d *Desk) { d.Calls[0].Phone = "000" },
		"no notice":          func(d *Desk) { d.Notices = nil },
		"another notice":     func(d *Desk) { d.Notices[0].ID++ },
		"other words":        func(d *Desk) { d.Notices[0].Zh = "今晚开放" },
		"other English":      func(d *Desk) { d.Notices[0].En = "" },
		"another end":        func(d *Desk) { d.Notices[0].Until = At(testTime.Add(1)) },
		"a line break":       func(d *Desk) { d.Notices[0].Zh = "a\nb" },
		"no signature":       func(d *Desk) { d.Sig = "" },
		"a shorter one":      func(d *Desk) { d.Sig = d.Sig[:40] },
		"one of an ack":      func(d *Desk) { d.Sig = SignAck(sampleAck(), "yuncheng", "gate-017", key).Sig },
		"fields that change": func(d *Desk) { d.Notices[0].Zh, d.Notices[0].En = d.Notices[0].En, d.Notices[0].Zh },
	} {
		d := good
		d.Calls, d.Notices = slices.Clone(good.Calls), slices.Clone(good.Notices)
		edit(&d)
		if err := VerifyDesk(d, "yuncheng", "gate-017", publicKey(key)); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
	other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))
	for what, err := range map[string]error{
		"another gate":   VerifyDesk(good, "yuncheng", "gate-018", publicKey(key)),
		"another county": VerifyDesk(good, "qinghe", "gate-017", publicKey(key)),
		"another key":    VerifyDesk(good, "yuncheng", "gate-017", publicKey(other)),
	} {
		if !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
	broken := sampleDesk()
	broken.Notices[0].Zh = "a\nb"
	if broken = SignDesk(broken, "yuncheng", "gate-017", key); VerifyDesk(broken, "yuncheng", "gate-017",
		publicKey(key)) == nil {
		t.Error("a line break is believed")
	}
}

func TestWhatTheDeskMaySay(t *testing.T) {
	if err := sampleDesk().Check(); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("字", MaxNoticeRunes)
	for what, c := range map[string]struct {
		edit func(*Desk)
		ok   bool
	}{
		"nothing":           {func(d *Desk) { d.Calls, d.Notices = nil, nil }, true},
		"as long as it may": {func(d *Desk) { d.Notices[0].Zh = long }, true},
		"no 0":              {func(d *Desk) { d.No = 0 }, false},
		"a no too high":     {func(d *Desk) { d.No = MaxSeq + 1 }, false},
		"too many calls":    {func(d *Desk) { d.Calls = slices.Repeat(d.Calls, MaxDeskCalls) }, false},
		"too many notices":  {func(d *Desk) { d.Notices = slices.Repeat(d.Notices, MaxDeskNotices+1) }, false},
		"too long":          {func(d *Desk) { d.Notices[0].Zh = long + "字" }, false},
		"too long English":  {func(d *Desk) { d.Notices[0].En = strings.Repeat("x", MaxNoticeRunes+1) }, false},
		"no Chinese":        {func(d *Desk) { d.Notices[0].Zh = "" }, false},
		"a control":         {func(d *Desk) { d.Notices[0].Zh = "a\x1b[2Jb" }, false},
		"a reversal":        {func(d *Desk) { d.Notices[0].Zh = "a\u202eb" }, false},
		"no UTF-8":          {func(d *Desk) { d.Notices[0].Zh = "a\xffb" }, false},
		"no call's id":      {func(d *Desk) { d.Calls[0].ID = "fever:42" }, false},
		"no role":           {func(d *Desk) { d.Calls[0].ID = "help-called:mayor-42" }, false},
		"an odd id":         {func(d *Desk) { d.Calls[0].ID = "help-called:doctor-042" }, false},
		"no state":          {func(d *Desk) { d.Calls[0].State = "gone" }, false},
		"no answer":         {func(d *Desk) { d.Calls[0].Answer = "" }, false},
		"an early answer":   {func(d *Desk) { d.Calls[1].Answer = fact.AnswerCallUs }, false},
		"in a year":         {func(d *Desk) { d.Calls[0].Minutes = 500_000 }, false},
		"minutes of nobody": {func(d *Desk) { d.Calls[0].Answer = fact.AnswerCallUs }, false},
		"nobody instead": {func(d *Desk) {
			d.Calls[0].Answer, d.Calls[0].Minutes = fact.AnswerNotAvailable, 0
		}, false},
		"somebody instead": {func(d *Desk) {
			d.Calls[0].Answer, d.Calls[0].Minutes, d.Calls[0].Phone = fact.AnswerNotAvailable, 0, "0000 000 1100"
		}, true},
		"no number":       {func(d *Desk) { d.Calls[0].Phone = "<b>1</b>" }, false},
		"a long number":   {func(d *Desk) { d.Calls[0].Phone = strings.Repeat("1", 25) }, false},
		"a number of two": {func(d *Desk) { d.Calls[0].Phone = "12" }, false},
	} {
		d := sampleDesk()
		c.edit(&d)
		if err := d.Check(); (err == nil) != c.ok {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestTheLargestDeskMessageFits(t *testing.T) {
	d := sampleDesk()
	d.Calls = slices.Repeat(d.Calls[:1], MaxDeskCalls)
	d.Notices[0].Zh, d.Notices[0].En = strings.Repeat("😷", MaxNoticeRunes), strings.Repeat("😷", MaxNoticeRunes)
	d.Notices = slices.Repeat(d.Notices, MaxDeskNotices)
	b, err := Encode(SignDesk(d, "yuncheng", "gate-017", testKey()))
	if err != nil || d.Check() != nil || len(b) > MaxDeskBytes {
		t.Errorf("%d bytes, %v, %v", len(b), err, d.Check())
	}
}

func TestACallIsKnownByItsID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, seq := rapid.SampledFrom(fact.Roles()).Draw(t, "role"), rapid.Uint64().Draw(t, "seq")
		if got, ok := fact.CalledRole(fact.CallID(r, seq)); !ok || got != r {
			t.Fatalf("%s of %s", got, fact.CallID(r, seq))
		}
		if id := rapid.String().Draw(t, "id"); strings.HasPrefix(id, "help") {
			_, _ = fact.CalledRole(id)
		}
	})
}

func FuzzDecodeDesk(f *testing.F) {
	b, err := Encode(SignDesk(sampleDesk(), "yuncheng", "gate-017", testKey()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, payload []byte) {
		d, err := Decode[Desk](payload)
		if err != nil || d.Check() != nil {
			return
		}
		again, err := Encode(d)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Decode[Desk](again); err != nil || got.Check() != nil {
			t.Errorf("%s: %v", again, err)
		}
		for _, line := range d.lines("yuncheng", "gate-017")[:4] {
			if strings.ContainsAny(line, "\r\n") {
				t.Errorf("%q is a line", line)
			}
		}
	})
}
