package threats

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse/gateway/enrolment"
	"gatehouse/gateway/rulebook"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/wire"
)

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
