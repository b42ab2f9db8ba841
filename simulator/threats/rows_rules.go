package threats

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/rulebook"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/wire"
)

// ruleSets are who publishes what gates decide by.
func ruleSets() []Row {
	return []Row{
		{
			ID: "T72", Name: "rules-forged", where: foreign,
			Title:   "rules of another key, an older county's, none, or of the neighbour are published to a gate",
			Control: "a set of rules is signed by the county, for one gate", try: forgedRules,
		},
		{
			ID: "T73", Name: "rules-older", where: foreign,
			Title:   "the rules of before are published again, also to a gate that starts without the county",
			Control: "the number of a set never falls", try: olderRules,
		},
		{
			ID: "T74", Name: "rules-torn", where: foreign,
			Title:   "a set comes half, with its parts swapped, too large, and with parts without end",
			Control: "a set is put into force whole, when each part is the one that its manifest names",
			try:     tornRules,
		},
	}
}

// applied returns the numbers of the sets that a gate has put into force, the oldest first.
func (g *gate) applied() (out []uint64, err error) {
	all, err := g.kept()
	for _, b := range all {
		if a, is := b.(*wire.Audit); is && a.Rules != nil && !slices.Contains(out, a.Rules.No) {
			out = append(out, a.Rules.No)
		}
	}
	return out, err
}

// newRules has the county put other rules into force, and returns the number of the set that
// a gate has then.
func (c *county) newRules(ctx context.Context, g *gate) (no uint64, err error) {
	before, err := g.applied()
	if err != nil {
		return 0, err
	}
	name := fmt.Sprint("rules-", time.Now().UnixNano(), ".yaml")
	if err := c.put(name, rules+"# "+name+"\n"); err != nil {
		return 0, err
	}
	args := [][]string{{"rules", "import", "--approve", "--config", c.path("collect.yaml")},
		{"rules", "import", "--approve", "--config", c.path("collect.yaml"), "--kind", "policy", c.path(name)}}
	if len(before) > 0 {
		args = args[1:]
	}
	for _, a := range args {
		if _, err := c.run(ctx, a...); err != nil {
			return 0, err
		}
	}
	if err := c.inForce(ctx, g, func(no uint64) bool { return !slices.Contains(before, no) }); err != nil {
		return 0, err
	}
	after, err := g.applied()
	if err != nil {
		return 0, err
	}
	return after[len(after)-1], nil
}

// inForce waits until the newest set of a gate is one that is looked for.
func (c *county) inForce(ctx context.Context, g *gate, is func(no uint64) bool) error {
	if ok := await(ctx, 30*time.Second, func() bool {
		list, err := g.applied()
		return err == nil && len(list) > 0 && is(list[len(list)-1])
	}); !ok {
		return fmt.Errorf("the rules do not come into force at %s: %s", g.id, g.agent.Tail())
	}
	return nil
}

// publishedRules returns the set that the broker keeps for a gate.
func (c *county) publishedRules(ctx context.Context, agent string) (s rulebook.Sealed, err error) {
	eye, err := c.eye(ctx, wire.Topic(countyID, agent, wire.LeafPolicy)+"/#")
	if err != nil {
		return s, err
	}
	defer eye.close()
	parts := map[string][]byte{}
	for s.Manifest.No == 0 || len(s.Parts) < len(s.Manifest.Parts) {
		m, err := eye.message()
		if err != nil {
			return s, fmt.Errorf("the rules of %s do not come: %w", agent, err)
		}
		parts[m.TopicName] = m.Payload
		if m.TopicName == wire.Topic(countyID, agent, wire.LeafPolicy) && len(m.Payload) > 0 {
			if s.Manifest, err = wire.Decode[wire.Manifest](m.Payload); err != nil {
				return s, err
			}
		}
		s.Parts = nil
		for n := range s.Manifest.Parts {
			if p := parts[wire.PartTopic(countyID, agent, s.Manifest.No, n)]; len(p) > 0 {
				s.Parts = append(s.Parts, p)
			}
		}
	}
	return s, nil
}

// publishRules publishes a set to an agent, kept.
func (m *client) publishRules(agent string, s rulebook.Sealed) error {
	for n, part := range s.Parts {
		if err := m.publish(wire.PartTopic(countyID, agent, s.Manifest.No, n), part, true); err != nil {
			return err
		}
	}
	payload, err := wire.Encode(s.Manifest)
	if err == nil {
		err = m.publish(wire.Topic(countyID, agent, wire.LeafPolicy), payload, true)
	}
	if err != nil {
		return err
	}
	return m.acknowledged()
}

// secret returns the secret that the sets of a gate are encrypted to, as who has its disk.
func (g *gate) secret() (string, error) {
	b, err := os.ReadFile(filepath.Join(g.dir, enrolment.RecipientFile))
	return strings.TrimSpace(string(b)), err
}

// made is a set like the one that the county has published to the first gate, with another
// number and so many random bytes in its policy, signed by key.
func (c *county) made(ctx context.Context, no uint64, random int, key ed25519.PrivateKey) (
	s rulebook.Sealed, err error,
) {
	real, err := c.publishedRules(ctx, "gate-001")
	if err != nil {
		return s, err
	}
	secret, err := c.gates[0].secret()
	if err != nil {
		return s, err
	}
	to, err := sealed.RecipientOf(secret)
	if err != nil {
		return s, err
	}
	files, err := rulebook.Open(real.Manifest, real.Parts, secret)
	if err != nil {
		return s, err
	}
	noise := make([]byte, random)
	rand.Read(noise) // never fails (crypto/rand)
	for i := range files {
		if files[i].Name == rulebook.PolicyFile {
			files[i].Bytes = append(files[i].Bytes, "# "+hex.EncodeToString(noise)+"\n"...)
		}
	}
	return rulebook.Gate{County: countyID, Agent: "gate-001"}.Seal(rulebook.Set{No: no, Version: "forged",
		At: time.Now(), Files: files}, to, key)
}

// refusesRules waits until a gate says once more that it refuses rules.
func (g *gate) refusesRules(ctx context.Context, what string, do func() error) error {
	const said = "the county's rules are refused"
	before := strings.Count(g.agent.Printed(), said)
	if err := do(); err != nil {
		return err
	}
	if ok := await(ctx, 20*time.Second, func() bool { return strings.Count(g.agent.Printed(), said) > before }); !ok {
		return fmt.Errorf("%s: the gate does not say that it refuses them: %s", what, g.agent.Tail())
	}
	return nil
}

func forgedRules(ctx context.Context, c *county) (string, error) {
	g := c.gates[0]
	first, err := c.newRules(ctx, g)
	if err != nil {
		return "", err
	}
	m, err := c.hostile(ctx, "ruler")
	if err != nil {
		return "", err
	}
	defer m.close()
	_, stranger, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	byStranger, err := c.made(ctx, first+100, 1, stranger)
	if err != nil {
		return "", err
	}
	unsigned := byStranger
	unsigned.Manifest.Sig = ""
	ofFellow, err := c.publishedRules(ctx, "gate-002")
	if err != nil {
		return "", err
	}
	for what, s := range map[string]rulebook.Sealed{"of another key": byStranger, "unsigned": unsigned,
		"of the neighbour": ofFellow} {
		err := g.refusesRules(ctx, what, func() error { return m.publishRules(g.id, s) })
		if err != nil {
			return "", err
		}
	}
	next, err := c.newRules(ctx, g)
	if err != nil {
		return "", fmt.Errorf("after forged rules: %w", err)
	}
	list, err := g.applied()
	if n := len(list); err != nil || n < 2 || list[n-2] != first || list[n-1] != next {
		return "", errors.Join(err, fmt.Errorf("the gate has had the sets %v, the county's are %d and %d", list,
			first, next))
	}
	return "3 sets, kept: refused; the county's next one came into force", nil
}

func olderRules(ctx context.Context, c *county) (string, error) {
	g := c.gates[0]
	if _, err := c.newRules(ctx, g); err != nil {
		return "", err
	}
	older, err := c.publishedRules(ctx, g.id)
	if err != nil {
		return "", err
	}
	now, err := c.newRules(ctx, g)
	if err != nil {
		return "", err
	}
	m, err := c.hostile(ctx, "historian")
	if err != nil {
		return "", err
	}
	defer m.close()
	again := func() error { return m.publishRules(g.id, older) }
	if err := g.refusesRules(ctx, "older", again); err != nil {
		return "", err
	}
	c.collector.End(syscall.SIGTERM, 20*time.Second)
	defer func() { _, _ = c.collector.Start() }() // it may have been started below
	if err := again(); err != nil {
		return "", err
	}
	if err := g.refusesRules(ctx, "older, after a start", func() error {
		g.agent.End(syscall.SIGTERM, 10*time.Second)
		_, err := g.agent.Start()
		return err
	}); err != nil {
		return "", err
	}
	if err := c.back(ctx, g); err != nil {
		return "", err
	}
	list, err := g.applied()
	if err != nil || list[len(list)-1] != now {
		return "", errors.Join(err, fmt.Errorf("the gate has had the sets %v, and %d is in force", list, now))
	}
	return "refused at once, and at a start without the county", nil
}

// back starts the collector, and returns when a passage of a gate is stored.
func (c *county) back(ctx context.Context, g *gate) error {
	if _, err := c.collector.Start(); err != nil {
		return err
	}
	err := c.collector.WaitFor(ctx, func() bool { return answers(ctx, c.desk) })
	if err == nil {
		err = g.agent.WaitFor(ctx, func() bool { return answers(ctx, g.kiosk) })
	}
	if err == nil {
		_, err = c.delivers(ctx, g)
	}
	return err
}

// inParts returns a set in parts of another size.
func inParts(s rulebook.Sealed, size int, key ed25519.PrivateKey) rulebook.Sealed {
	s.Parts = slices.Collect(slices.Chunk(slices.Concat(s.Parts...), size))
	s.Manifest.Parts = nil
	for _, p := range s.Parts {
		s.Manifest.Parts = append(s.Manifest.Parts, wire.SumPart(p))
	}
	s.Manifest = wire.SignManifest(s.Manifest, countyID, "gate-001", key)
	return s
}

func tornRules(ctx context.Context, c *county) (string, error) {
	g := c.gates[0]
	now, err := c.newRules(ctx, g)
	if err != nil {
		return "", err
	}
	key, err := c.signer()
	if err != nil {
		return "", err
	}
	set, err := c.made(ctx, now+1000, 24<<10, key)
	if err != nil {
		return "", err
	}
	set = inParts(set, 8<<10, key) // a broker keeps no larger ones for a client like this
	m, err := c.hostile(ctx, "tearer")
	if err != nil {
		return "", err
	}
	defer m.close()
	// The county is away: it would publish its own set over these.
	c.collector.End(syscall.SIGTERM, 20*time.Second)
	defer func() { _, _ = c.collector.Start() }() // it may have been started below
	swapped := rulebook.Sealed{Manifest: set.Manifest, Parts: slices.Clone(set.Parts)}
	slices.Reverse(swapped.Parts)
	const refused = "a part of the rules is refused"
	before := strings.Count(g.agent.Printed(), refused)
	if err := m.publishRules(g.id, swapped); err != nil {
		return "", err
	}
	if ok := await(ctx, 20*time.Second, func() bool {
		return strings.Count(g.agent.Printed(), refused) > before
	}); !ok {
		return "", fmt.Errorf("parts that are swapped are not refused: %s", g.agent.Tail())
	}
	need, err := memory(g.agent.PID())
	if err != nil {
		return "", err
	}
	endless := make([]byte, wire.MaxPartBytes)
	for n := range wire.MaxParts {
		if err := m.publish(wire.PartTopic(countyID, g.id, now+2000, n), endless, false); err != nil {
			return "", err
		}
		large := make([]byte, wire.MaxPartBytes+1)
		if err := m.publish(wire.PartTopic(countyID, g.id, set.Manifest.No, n), large, false); err != nil {
			return "", err
		}
		if err := m.acknowledged(); err != nil {
			return "", err
		}
	}
	if err := m.sends(wire.Topic(countyID, g.id, wire.LeafPolicy), make([]byte, wire.MaxManifestBytes+1)); err != nil {
		return "", err
	}
	if err := g.passes(ctx); err != nil {
		return "", err
	}
	more, err := memory(g.agent.PID())
	if list, err1 := g.applied(); err != nil || err1 != nil || list[len(list)-1] != now || more > need+64<<20 {
		return "", errors.Join(err, err1, fmt.Errorf("the gate has had the sets %v, the county's is %d; it needs "+
			"%d MiB, before %d", list, now, more>>20, need>>20))
	}
	// The same set, whole and in order, is the county's.
	if err := m.publishRules(g.id, set); err != nil {
		return "", err
	}
	if err := c.inForce(ctx, g, func(no uint64) bool { return no == set.Manifest.No }); err != nil {
		return "", fmt.Errorf("the set as it should be: %w", err)
	}
	if err := c.back(ctx, g); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d swapped parts, %d too large, %d of nothing: +%d MiB of memory; the set came into force "+
		"when it was whole", len(set.Parts), wire.MaxParts, wire.MaxParts, (max(more, need)-need)>>20), nil
}
