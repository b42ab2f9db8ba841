package agent

import (
	"bytes"
	"crypto/ed25519"
	"testing"
	"time"

	"gatehouse/gateway/fact"
	"gatehouse/gateway/pass"
)

func TestCodesThatClaimToBePasses(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	public, _ := key.Public().(ed25519.PublicKey)
	c := codes{county: "qinghe", agent: "gate-018", collector: public}
	from := time.Date(2020, 2, 14, 8, 0, 0, 0, time.UTC)
	sign := func(gate, county string) string {
		text, err := pass.Sign(pass.Pass{ID: pass.ID{1}, Gate: gate, Class: "visitor", From: from,
			Until: from.Add(time.Hour), Uses: 1}, county, key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	good := sign("gate-018", "qinghe")
	for name, x := range map[string]struct {
		code  string
		read  bool
		fault fact.PassFault
	}{
		"a pass":               {good, true, ""},
		"in small letters":     {"gatehouse1:" + good[len("gatehouse1:"):], true, ""},
		"of another gate":      {sign("gate-019", "qinghe"), true, fact.PassElsewhere},
		"of another county":    {sign("gate-018", "other"), false, fact.PassForged},
		"the beginning of one": {good[:30], false, fact.PassUnreadable},
		"another code":         {"VISIT-1", false, ""},
	} {
		p, fault := c.Pass(x.code)
		if (p != nil) != x.read || fault != x.fault {
			t.Errorf("%s: %+v, %q", name, p, fault)
		}
		if x.read && (p.ID != "0100000000000000" || p.Class != "visitor" || p.Uses != 1 || !p.From.Equal(from)) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
