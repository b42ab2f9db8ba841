package world

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

var communityNames = [Communities]string{"东城", "西关", "南苑", "北辰", "中和", "开元"}

var (
	firstParts  = []string{"丽", "安", "和", "清", "锦", "福", "盛", "文", "华", "瑞", "永", "春", "金", "明", "康", "嘉"}
	secondParts = []string{"景", "泰", "苑", "华", "源", "馨", "园", "和", "昌", "宁", "安", "兴"}
	thirdParts  = []string{"苑", "里", "花园", "小区", "家园", "新村"}
)

// placeNames returns n different names.
func placeNames(rnd *rand.Rand, n int) []string {
	var all []string
	for _, a := range firstParts {
		for _, b := range secondParts {
			for _, c := range thirdParts {
				if a != b && b+c != "苑苑" && b+c != "园花园" {
					all = append(all, a+b+c)
				}
			}
		}
	}
	rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:n]
}

// Card is one credential of a roster.
type Card struct {
	Code      string // card: ten hex digits; a visitor's QR code: "code:TEXT"
	Class     string
	Status    string
	Household string
}

// newCards returns a card for every resident, and for some workers and visitors
// of the compound. A few cards are lost.
func newCards(rnd *rand.Rand, households, residents int) []Card {
	used := map[string]bool{}
	number := func() string {
		for {
			n := fmt.Sprintf("%02X%08X", 0x62, rnd.Uint32())
			if !used[n] {
				used[n] = true
				return n
			}
		}
	}
	var cards []Card
	for i := range residents {
		c := Card{Code: number(), Class: "resident", Status: "active", Household: fmt.Sprint(i%households + 1)}
		if rnd.IntN(200) == 0 {
			c.Status = "lost"
		}
		cards = append(cards, c)
	}
	cards[residents-1].Status = "sealed" // one household in each compound
	for range 2 + rnd.IntN(4) {
		cards = append(cards, Card{Code: number(), Class: "worker", Status: "active"})
	}
	for range 3 {
		cards = append(cards, Card{
			Code:   fmt.Sprintf("code:VISIT-%06d", rnd.IntN(1e6)),
			Class:  "visitor",
			Status: "active",
		})
	}
	return cards
}

// surnames are those that guards see.
var surnames = []string{"王", "李", "张", "刘", "陈", "欧阳"}

// shown returns what the guard sees of a resident: where they live, and a masked name. n is
// the number of the card.
func (c Card) shown(n int) string {
	if c.Class != "resident" {
		return ""
	}
	return fmt.Sprintf("%d栋%d单元 %s**", n/60+1, n/15%4+1, surnames[n%len(surnames)])
}

// Roster returns the gate's roster file.
func (g Gate) Roster() []byte {
	var b bytes.Buffer
	b.WriteString("card,class,status,household,from,until,shown\n")
	seen := map[string]bool{}
	for _, c := range g.Cards {
		if !seen[c.Code] {
			seen[c.Code] = true
			fmt.Fprintf(&b, "%s,%s,%s,%s,,,%s\n", c.Code, c.Class, c.Status, c.Household, c.shown(len(seen)))
		}
	}
	if g.Stage {
		b.Write(g.Cast().Roster())
	}
	return b.Bytes()
}

// Policy returns the county's policy file.
func Policy() []byte {
	return []byte(`version: 2020-02-14.1
limits:
  fever_c: 37.3
  invalid_below_c: 35.0
  pairing: 8s
classes:
  resident: {fever: go-home, directions: [in, out]}
  visitor: {fever: turn-away, directions: [in, out]}
  worker: {fever: turn-away, directions: [in, out]}
episode: {wait: 1m, expires: 30m, second: other-device}
`)
}
