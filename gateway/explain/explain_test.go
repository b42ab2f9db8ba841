package explain_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/explain"
	"gatehouse/gateway/fact"
	"gatehouse/gateway/wire"
)

// said returns an explanation line by line, without its inputs.
func said(t *testing.T, p *wire.Passage, lang string, parts ...explain.Part) string {
	t.Helper()
	w := words(t, lang)
	var lines []string
	for _, s := range explain.Passage(p, zone) {
		if slices.Contains(parts, s.Part) {
			lines = append(lines, w.Text(s))
		}
	}
	return strings.Join(lines, "\n")
}

func at(s string) *wire.Time {
	v, err := time.ParseInLocation("2006-01-02 15:04:05", s, zone)
	if err != nil {
		panic(err)
	}
	t := wire.At(v)
	return &t
}

// example is a passage with what is said of it, without its inputs. An empty zh is not asked.
type example struct {
	p      *wire.Passage
	en, zh string
}

// examples has a passage of each kind.
func examples() map[string]example {
	quota := full(fact.VerdictRefuse, fact.ReasonQuota, "classes.resident.quota")
	quota.Basis.Next, quota.Temperature, quota.Entered = at("2020-02-15 06:00:00"), nil, nil
	card := full(fact.VerdictRefuse, fact.ReasonQuota, "classes.resident.quota")
	card.Basis.Household = ""
	forever := full(fact.VerdictRefuse, fact.ReasonQuota, "classes.resident.quota")
	forever.Basis.Next = nil
	cold := full(fact.VerdictInvalid, fact.ReasonTooCold, "classes.resident")
	cold.Entered, cold.Temperature.Screening = nil, 3366
	cold.Reasons = append(cold.Reasons, fact.ReasonAmbientLow)
	fever := full(fact.VerdictFever, fact.ReasonFever, "sealed.in")
	fever.Reasons = append(fever.Reasons, fact.ReasonEntered, fact.ReasonSealedEntry)
	fever.Entered.Value = 3810
	lost := full(fact.VerdictRefuse, fact.ReasonLostCard, "lost.pass")
	identify := full(fact.VerdictRefuse, fact.ReasonLostCard, "lost.pass")
	identify.Instruction = fact.InstructCheckID
	soft := full(fact.VerdictFever, fact.ReasonPassback, "classes.resident.anti_passback")
	soft.Basis.Next = nil
	hard := full(fact.VerdictRefuse, fact.ReasonPassback, "classes.resident.anti_passback")
	mixed := full(fact.VerdictFever, fact.ReasonPassback, "classes.resident.anti_passback")
	never := full(fact.VerdictRefuse, fact.ReasonPassback, "classes.resident.anti_passback")
	never.Basis = nil
	later := full(fact.VerdictRefuse, "by-moonlight", "moon")
	return map[string]example{
		"a quota": {quota, "May not pass\nThe quota is used up: 1 of 1\n" +
			"When the household has an exit or entry left: from 2020-02-15 06:00",
			"不准通行\n次数已用完：1 / 1\n本户有剩余次数时：2020-02-15 06:00 起"},
		"of a card": {card, "May not pass\nThe quota is used up: 1 of 1\n" +
			"When there is an exit or entry left: from 2020-02-14 08:00", ""},
		"that never ends": {forever, "May not pass\nThe quota is used up: 1 of 1\n" +
			"When there is an exit or entry left: from when is not known", ""},
		"a cold morning": {cold, "The measurement does not count\n" +
			"33.66 °C is under 35.0: a cold forehead says nothing about fever\n" +
			"The air was 20.0 °C; the thermometer is rated for 16.0 to 35.0\n" +
			"After warming up, or with a hand-held thermometer: from 35.0 up to, but not including, 37.3 °C\n" +
			"A thermometer in air of 16.0 to 35.0 °C, or a value that the guard enters", ""},
		"a fever": {fever, "Stopped: fever\n38.1 °C has reached the fever limit 37.3\n" +
			"The value is the guard's, from a hand-held thermometer (contact thermometer)\n" +
			"Somebody of a sealed household comes home\nA reading from 35.0 up to, but not including, 37.3 °C",
			"体温异常，不准通行\n38.1 °C 达到发热上限 37.3\n数值由值守人员用手持接触式体温计测得并输入\n" +
				"封控户的人回家\n测得 35.0 至 37.3 °C（不含上限）"},
		"a lost card": {lost, "May not pass\nThe card was reported lost\nA card that is not reported lost", ""},
		"of somebody who can be found out": {identify, "May not pass\nThe card was reported lost\n" +
			"The guard has checked who it is; or a card that is not reported lost", ""},
		"twice, softly": {soft, "Stopped: fever\nThe card went the same way (out) last, at 2020-02-14 08:00", ""},
		"twice": {hard, "May not pass\nThe card went the same way (out) last, at 2020-02-14 08:00\n" +
			"After going the other way; else from 2020-02-14 08:00", ""},
		"twice, with a fever": {mixed, "Stopped: fever\nThe card went the same way (out) last, at 2020-02-14 08:00\n" +
			"After going the other way; else from 2020-02-14 08:00", ""},
		"twice, of an old version": {never, "May not pass\nThe card went the same way (out) last, at not known\n" +
			"After going the other way", ""},
		"of a later version": {later, "May not pass\nreason.by-moonlight\n" +
			"What would have helped is not known to this version", ""},
	}
}

func TestWhatIsSaid(t *testing.T) {
	for name, c := range examples() {
		if got := said(t, c.p, "en", explain.PartVerdict, explain.PartBecause, explain.PartPass); got != c.en {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.en)
		}
		if got := said(t, c.p, "zh", explain.PartVerdict, explain.PartBecause, explain.PartPass); c.zh != "" &&
			got != c.zh {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.zh)
		}
	}
}

func TestWhatItWasDecidedOn(t *testing.T) {
	all := full(fact.VerdictPass, fact.ReasonNormal, "classes.resident.quota")
	all.Basis.At = at("2020-02-14 07:59:40")
	plain := full(fact.VerdictPass, fact.ReasonNormal, "roster.uses")
	plain.Entered, plain.Lane, plain.Direction, plain.Class = nil, "", "", ""
	plain.Basis = &wire.Basis{Rule: "roster.uses", Times: 3, Household: "h"}
	pass := full(fact.VerdictPass, fact.ReasonNotMeasured, "classes.visitor")
	pass.Temperature, pass.Entered, pass.Class = nil, nil, "guest"
	pass.Basis = &wire.Basis{Rule: "classes.guest", Pass: "00112233445566"}
	nobody := &wire.Passage{Verdict: fact.VerdictRetest, Policy: "7"}
	home := full(fact.VerdictPass, fact.ReasonNormal, "classes.resident.quota")
	home.Basis = &wire.Basis{Rule: "classes.resident.quota", Household: "", Used: 0, Times: 2}
	home.Entered, home.Temperature, home.Lane, home.Credential = nil, nil, "", "12345678"
	for name, c := range map[string]struct {
		p    *wire.Passage
		want string
	}{
		"all": {all, "Card 01234567…, resident\nWay: out\nLane north\n" +
			"The guard entered 36.7 °C, read off a hand-held thermometer (contact thermometer)\n" +
			"The gate's thermometer read 36.6 °C, in air of 20.0 °C; the entered value is judged\n" +
			"Rule classes.resident.quota of policy 7: how often may be passed\n" +
			"Days and hours were judged as of 2020-02-14 07:59\n" +
			"Used by the household fedcba98… before: 1 of 1\n" +
			"The earlier passage that the rule looked at: 2020-02-14 08:00"},
		"plain": {plain, "Card 01234567…, of nobody on the roster\n" +
			"Measured 36.6 °C (surface 33.0, offset 3.6; air 20.0 °C)\n" +
			"Rule roster.uses of policy 7: how often the card counts\nUsed before: 0 of 3"},
		"a signed pass": {pass, "Signed pass 00112233…, guest\nWay: out\nLane north\nNobody was measured\n" +
			"Rule classes.guest of policy 7: the card may pass"},
		"nobody": {nobody, "No card was shown\nNobody was measured\nPolicy 7"},
		"of a card": {home, "Card 12345678, resident\nWay: out\nNobody was measured\n" +
			"Rule classes.resident.quota of policy 7: how often may be passed\nUsed before: 0 of 2"},
	} {
		if got := said(t, c.p, "en", explain.PartInputs); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
	if got := said(t, all, "en", explain.PartPass); got != "" {
		t.Errorf("somebody who has passed: %s", got)
	}
}

// A card counts on its last day, and a pass not at the minute at which it ends. Records of
// before do not say when that was.
func TestUntilWhenAnExpiredCardWasValid(t *testing.T) {
	for name, c := range map[string]struct {
		basis  wire.Basis
		en, zh string
	}{
		"a card": {wire.Basis{Rule: "roster.until", Until: at("2020-02-14 00:00:00")},
			"It was valid until 2020-02-13; at 2020-02-14 08:00 it does not count any more",
			"有效期至 2020-02-13，2020-02-14 08:00 时已过期"},
		"a pass": {wire.Basis{Rule: "pass.until", Pass: "00112233445566", Until: at("2020-02-14 07:30:00")},
			"It was valid until 2020-02-14 07:30; at 2020-02-14 08:00 it does not count any more",
			"有效期至 2020-02-14 07:30，2020-02-14 08:00 时已过期"},
		"a record of before": {wire.Basis{Rule: "roster.until"}, "On 2020-02-14 08:00 it does not count any more",
			"2020-02-14 08:00 时已过期"},
	} {
		p := full(fact.VerdictRefuse, fact.ReasonExpired, c.basis.Rule)
		c.basis.At = at("2020-02-14 08:00:00")
		p.Basis = &c.basis
		for lang, want := range map[string]string{"en": c.en, "zh": c.zh} {
			if got := said(t, p, lang, explain.PartBecause); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
	}
}

// Each sentence stands for itself, and a sentence that two reasons would say is said once.
func TestASentenceIsSaidOnce(t *testing.T) {
	p := full(fact.VerdictInvalid, fact.ReasonAmbientLow, "classes.resident")
	p.Reasons = append(p.Reasons, fact.ReasonAmbientHigh)
	if got := said(t, p, "en", explain.PartPass); strings.Count(got, "\n") != 0 || got == "" {
		t.Errorf("%s", got)
	}
	p.Temperature.DurationMS, p.Limits.PairingMS = 1460, 2250
	p.Reasons = []fact.Reason{fact.ReasonUnsettled, fact.ReasonNoCard}
	want := "The value did not become steady: 7 values in 1.5 s, and five in a row must agree within 0.20 °C\n" +
		"No card came within 2.25 s of the measurement"
	if got := said(t, p, "en", explain.PartBecause); got != want {
		t.Errorf("%s", got)
	}
}

func TestOtherPassagesOfTheVisit(t *testing.T) {
	w := words(t, "en")
	for want, seqs := range map[string][2]uint64{
		"": {0, 0}, "It replaced passage 7 of the same journal": {7, 0},
		"It was replaced: passage 9 of the same journal holds": {0, 9},
	} {
		var lines []string
		for _, s := range explain.Replaced(seqs[0], seqs[1]) {
			if s.Part != explain.PartRecord {
				t.Errorf("%+v", s)
			}
			lines = append(lines, w.Text(s))
		}
		if got := strings.Join(lines, "\n"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestPseudonymsAreShortenedToWhatTellsThemApart(t *testing.T) {
	for pseudonym, want := range map[string]string{"": "", "ce6pbupg-ulfl6eckqqrftjzz": "ulfl6eck…",
		"ce6pbupg-12345678": "12345678", "123456789": "12345678…", "卡卡卡卡卡卡卡卡": "卡卡卡卡卡卡卡卡"} {
		if got := explain.Short(pseudonym); got != want {
			t.Errorf("%s: %s, want %s", pseudonym, got, want)
		}
	}
}
