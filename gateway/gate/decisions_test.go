package gate

import (
	"slices"
	"strings"
	"testing"
)

// decision is what happens at a gate with one lane, and the events that follow,
// as brief writes them.
type decision struct {
	steps []step
	want  []string
}

func TestDecisions(t *testing.T) {
	for about, table := range map[string]map[string]decision{
		"one visit": oneVisit, "one after another": oneAfterAnother, "two in a lane": twoInALane,
		"after a visit": afterAVisit, "higher later": higherLater, "broken devices": brokenDevices,
	} {
		for name, c := range table {
			t.Run(about+"/"+name, func(t *testing.T) {
				var got []string
				for _, e := range run(newGate(t), c.steps) {
					got = append(got, brief(e))
				}
				if !slices.Equal(got, c.want) {
					t.Fatalf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
				}
			})
		}
	}
}

// One visit: what the temperature and its conditions decide.
var oneVisit = map[string]decision{
	"card, then temperature": {[]step{tapped(0, resident), temperature(2, 3650)},
		[]string{"pass normal [1 2] go resident"}},
	"temperature, then card": {[]step{temperature(0, 3650), tapped(2, resident)},
		[]string{"pass normal [1 2] go resident"}},
	"just below the limit": {[]step{tapped(0, resident), temperature(2, 3729)},
		[]string{"pass normal [1 2] go resident"}},
	"at the limit": {[]step{tapped(0, resident), temperature(2, 3730)},
		[]string{"fever fever [1 2] go-home resident ALARM"}},
	"a visitor with fever": {[]step{tapped(0, visitor), temperature(2, 3840)},
		[]string{"fever fever [1 2] turn-away visitor ALARM"}},
	"fever without a card": {[]step{temperature(0, 3840), wait(20)}, []string{"fever fever [1] turn-away ALARM"}},
	"fever, then its card": {[]step{temperature(0, 3840), tapped(2, resident), wait(20)},
		[]string{"fever fever [1] turn-away ALARM", "fever fever [1 2] go-home resident amends"}},
	"fever, and the card unknown": {[]step{tapped(0, stranger), temperature(2, 3840)},
		[]string{"refuse unknown-card [1] check-identity",
			"fever fever+unknown-card [1 2] turn-away amends ALARM"}},
	"fever in the cold": {[]step{tapped(0, resident), temperature(2, 3840, cold)},
		[]string{"fever fever+ambient-low [1 2] go-home resident ALARM"}},
	"fever, unsettled": {[]step{tapped(0, resident), temperature(2, 3840, unsettled)},
		[]string{"fever fever+unsettled [1 2] go-home resident ALARM"}},
	"too cold to judge": {[]step{tapped(0, resident), temperature(2, 3499)},
		[]string{"invalid too-cold [1 2] warm-up resident"}},
	"just warm enough": {[]step{tapped(0, resident), temperature(2, 3500)},
		[]string{"pass normal [1 2] go resident"}},
	"too cold an ambient": {[]step{tapped(0, resident), temperature(2, 3650, cold)},
		[]string{"invalid ambient-low [1 2] measure-by-hand resident"}},
	"too warm an ambient": {[]step{tapped(0, resident), temperature(2, 3650, warm)},
		[]string{"invalid ambient-high [1 2] measure-by-hand resident"}},
	"a hot background": {[]step{tapped(0, resident), temperature(2, 3650, hot)},
		[]string{"invalid hot-background [1 2] measure-by-hand resident"}},
	"a sensor in the sun": {[]step{tapped(0, resident), temperature(2, 3650, drifts)},
		[]string{"invalid sensor-drift [1 2] measure-by-hand resident"}},
	"fever by a sensor in the sun": {[]step{tapped(0, resident), temperature(2, 3840, drifts)},
		[]string{"fever fever+sensor-drift [1 2] go-home resident ALARM"}},
	"cold in every way": {[]step{temperature(0, 3300, cold)},
		[]string{"invalid ambient-low+too-cold [1] measure-by-hand"}},
	"not settled": {[]step{tapped(0, resident), temperature(2, 3650, unsettled)},
		[]string{"retest unsettled [1 2] measure-again resident"}},
}

// People who come one after the other.
var oneAfterAnother = map[string]decision{
	"cold, then the card, then measured again": {[]step{temperature(0, 3400), tapped(2, resident),
		temperature(4, 3600), wait(20)},
		[]string{"invalid too-cold [1] warm-up", "pass normal [2 3] go resident"}},
	"measured again, as told, then the card": {[]step{temperature(0, 3650, unsettled), temperature(2, 3650),
		tapped(3, resident)},
		[]string{"retest unsettled [1] measure-again", "pass normal [2 3] go resident"}},
	"somebody passed by, then a resident": {[]step{temperature(0, 3650, unsettled), tapped(2, resident),
		temperature(4, 3600)},
		[]string{"retest unsettled [1] measure-again", "pass normal [2 3] go resident"}},
	"sent back, and tapped and measured again": {[]step{tapped(0, resident), temperature(2, 3650, unsettled),
		tapped(7, resident), temperature(9, 3650)},
		[]string{"retest unsettled [1 2] measure-again resident", "pass normal [3 4] go resident"}},
	"sent back, and the next one is measured": {[]step{tapped(0, resident), temperature(2, 3400),
		temperature(4, 3650), tapped(5, visitor), wait(20)},
		[]string{"invalid too-cold [1 2] warm-up resident", "pass normal [3 4] go visitor"}},
	"the next in line after one who was sent back": {[]step{tapped(0, resident), temperature(1, 3400),
		tapped(3, visitor), temperature(4, 3650)},
		[]string{"invalid too-cold [1 2] warm-up resident", "pass normal [3 4] go visitor"}},
	"card alone": {[]step{tapped(0, resident), wait(8)},
		[]string{"retest no-temperature [1] measure resident"}},
	"temperature alone": {[]step{temperature(0, 3650), wait(8)}, []string{"refuse no-card [1] check-identity"}},
	"too late a card": {[]step{temperature(0, 3650), tapped(8, resident), temperature(9, 3650)},
		[]string{"refuse no-card [1] check-identity", "pass normal [2 3] go resident"}},
	"an unknown card": {[]step{tapped(0, stranger), wait(20)},
		[]string{"refuse unknown-card [1] check-identity"}},
	"a lost card": {[]step{tapped(0, lost), temperature(2, 3650)},
		[]string{"refuse lost-card [1] turn-away resident", "refuse lost-card [1 2] turn-away resident amends"}},
	"a lost card, too cold": {[]step{tapped(0, lost), temperature(2, 3400)},
		[]string{"refuse lost-card [1] turn-away resident", "refuse lost-card [1 2] turn-away resident amends"}},
	"measured, then refused": {[]step{temperature(0, 3650), tapped(2, lost), wait(20)},
		[]string{"refuse lost-card [1 2] turn-away resident"}},
	"the wrong direction": {[]step{tapped(0, inward)}, []string{"refuse direction [1] turn-away delivery"}},
	"one temperature, two cards": {[]step{temperature(0, 3650), tapped(1, resident), tapped(2, visitor),
		temperature(3, 3660)},
		[]string{"pass normal [1 2] go resident", "pass normal [3 4] go visitor"}},
	"tapped twice": {[]step{tapped(0, resident), tapped(5, resident), temperature(12, 3650)},
		[]string{"pass normal [1 2 3] go resident"}},
	"tapped again at the bar": {[]step{tapped(0, resident), temperature(1, 3650), tapped(2, resident),
		temperature(3, 3660), tapped(4, visitor)},
		[]string{"pass normal [1 2] go resident", "pass normal [4 5] go visitor"}},
	"tapped again while the next is measured": {[]step{tapped(0, resident), temperature(1, 3650),
		temperature(2, 3840), tapped(2.4, resident)},
		[]string{"pass normal [1 2] go resident", "fever fever [3] turn-away ALARM"}},
	"tapped again before the next one's card": {[]step{tapped(0, resident), temperature(1, 3650),
		temperature(2, 3660), tapped(2.4, resident), tapped(4, visitor)},
		[]string{"pass normal [1 2] go resident", "pass normal [3 5] go visitor"}},
	"back soon": {[]step{tapped(0, resident), temperature(1, 3650), tapped(4, resident), temperature(5, 3660)},
		[]string{"pass normal [1 2] go resident", "pass normal [3 4] go resident"}},
	"a refused card makes way for the next": {[]step{tapped(0, lost), tapped(1, resident), temperature(2, 3650)},
		[]string{"refuse lost-card [1] turn-away resident", "pass normal [2 3] go resident"}},
	"several refused cards, then one that may pass": {[]step{tapped(0, lost), tapped(1, stranger),
		tapped(2, resident), begun(2.5, "t"), temperature(3, 3650)},
		[]string{"refuse lost-card [1] turn-away resident", "refuse unknown-card [2] check-identity",
			"pass normal [3 5] go resident"}},
	"a refused card, tapped again": {[]step{tapped(0, lost), tapped(1, lost), temperature(2, 3650)},
		[]string{"refuse lost-card [1] turn-away resident", "refuse lost-card [1 2] turn-away resident amends",
			"refuse lost-card [1 2 3] turn-away resident amends"}},
	"a refused card, the next, and the refused one again": {[]step{tapped(0, lost), tapped(1, resident),
		tapped(2, lost), temperature(3, 3650)},
		[]string{"refuse lost-card [1] turn-away resident", "retest one-at-a-time [2] measure-again resident",
			"refuse lost-card [3] turn-away resident", "retest one-at-a-time [4] measure-again"}},
	"a refused card's temperature serves nobody else": {[]step{tapped(0, stranger), temperature(1, 3650),
		tapped(2, resident), wait(20)},
		[]string{"refuse unknown-card [1] check-identity", "refuse unknown-card [1 2] check-identity amends",
			"retest no-temperature [3] measure resident"}},
}

// Two people in one lane.
var twoInALane = map[string]decision{
	"two measured, the second with fever": {[]step{temperature(0, 3660), temperature(1.5, 3840),
		tapped(3, resident), tapped(4, visitor), wait(20)},
		[]string{"retest one-at-a-time [1] measure-again", "fever fever+one-at-a-time [2] measure-again ALARM",
			"retest one-at-a-time [3] measure-again resident", "retest one-at-a-time [4] measure-again visitor"}},
	"two measured, the first with fever": {[]step{temperature(0, 3840), temperature(1.5, 3660),
		tapped(3, resident), wait(20)},
		[]string{"fever fever [1] turn-away ALARM", "retest one-at-a-time [2] measure-again",
			"retest one-at-a-time [3] measure-again resident"}},
	"two cards, then a fever": {[]step{tapped(0, resident), tapped(1, visitor), temperature(2, 3840), wait(20)},
		[]string{"retest one-at-a-time [1] measure-again resident",
			"retest one-at-a-time [2] measure-again visitor", "fever fever+one-at-a-time [3] measure-again ALARM"}},
	"two cards, then two temperatures": {[]step{tapped(0, resident), tapped(1, visitor), temperature(2, 3650),
		temperature(4, 3660)},
		[]string{"retest one-at-a-time [1] measure-again resident",
			"retest one-at-a-time [2] measure-again visitor",
			"retest one-at-a-time [3] measure-again", "retest one-at-a-time [4] measure-again"}},
	"mixed, then one at a time": {[]step{tapped(0, resident), tapped(1, visitor), tapped(9, resident),
		temperature(10, 3650), tapped(11, visitor), temperature(12, 3650)},
		[]string{"retest one-at-a-time [1] measure-again resident",
			"retest one-at-a-time [2] measure-again visitor",
			"pass normal [3 4] go resident", "pass normal [5 6] go visitor"}},
	"mixed, and too early again": {[]step{tapped(0, resident), tapped(1, visitor), tapped(8, resident),
		temperature(9, 3650), wait(40)},
		[]string{"retest one-at-a-time [1] measure-again resident",
			"retest one-at-a-time [2] measure-again visitor",
			"retest one-at-a-time [1 3] measure-again resident amends", "retest one-at-a-time [4] measure-again"}},
	"a stranger's card, somebody is measured, and another's": {[]step{tapped(0, stranger), begun(0.5, "t"),
		tapped(1, resident), temperature(2, 3650)},
		[]string{"refuse unknown-card [1] check-identity", "retest one-at-a-time [3] measure-again resident",
			"retest one-at-a-time [4] measure-again"}},
	"a card, then a stranger's": {[]step{tapped(0, resident), tapped(1, stranger)},
		[]string{"retest one-at-a-time [1] measure-again resident", "refuse unknown-card [2] check-identity"}},
	"two measured, the second too cold": {[]step{temperature(0, 3650), temperature(2, 3400), tapped(3, resident)},
		[]string{"retest one-at-a-time [1] measure-again", "retest one-at-a-time+too-cold [2] measure-again",
			"retest one-at-a-time [3] measure-again resident"}},
}
