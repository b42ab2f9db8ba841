// Package wire is the contract between the edge and the county: records,
// batches, topics and their codec. WIRE.md beside this file explains every
// field; its examples run as tests. The package imports nothing of ours.
package wire

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Root is the first two levels of every topic. What is below it is stable:
// a change that an older agent can't read becomes v2.
const Root = "gatehouse/v1"

// CollectorID is the name the county's collector has in the topic tree; no
// agent may carry it.
const CollectorID = "collector"

// Leaf is the last level of a topic.
type Leaf string

// The leaves below gatehouse/v1/<county>/<agent>/.
const (
	LeafRecords Leaf = "records" // agent → collector, QoS 1: a Batch
	LeafHello   Leaf = "hello"   // agent → collector, QoS 1: a Hello
	LeafAck     Leaf = "ack"     // collector → agent, QoS 0: an Ack
	LeafStatus  Leaf = "status"  // retained, with a last will: a Status
	LeafBeat    Leaf = "beat"    // agent → anybody, QoS 0, every 10 s: a Beat
	LeafReport  Leaf = "report"  // machine → collector, QoS 1: a Report
	LeafDesk    Leaf = "desk"    // desk → agent, retained, QoS 1: a Desk
	LeafRetire  Leaf = "retire"  // county → agent, retained, QoS 1: a Retire
	LeafRetired Leaf = "retired" // agent → county, QoS 1: a Retired
	LeafCommand Leaf = "command" // desk → agent, QoS 1, never retained: a Command
	LeafNonce   Leaf = "nonce"   // agent → desk, QoS 1: a Nonce
	LeafPolicy  Leaf = "policy"  // desk → agent, retained, QoS 1: a Manifest; its parts are below it
)

var idPattern = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$`)

// ErrID means that a county's or agent's id can't be a topic level.
var ErrID = errors.New("must be 1 to 48 characters of a-z, 0-9 and -, beginning and ending with a letter or digit")

// CheckID returns an error unless id may name a county or an agent: it must be
// valid as a topic level, a client id and a NATS subject at every broker.
func CheckID(id string) error {
	if !idPattern.MatchString(id) {
		return fmt.Errorf("id %q: %w", id, ErrID)
	}
	return nil
}

// Topic is gatehouse/v1/<county>/<agent>/<leaf>; agent may be "+" to subscribe.
func Topic(county, agent string, leaf Leaf) string {
	return Root + "/" + county + "/" + agent + "/" + string(leaf)
}

// ParseTopic splits a topic; ok is false when it is none of ours. Those below policy are
// split by ParsePartTopic.
func ParseTopic(topic string) (county, agent string, leaf Leaf, ok bool) {
	rest, found := strings.CutPrefix(topic, Root+"/")
	if !found {
		return "", "", "", false
	}
	parts := strings.Split(rest, "/")
	if len(parts) != 3 || CheckID(parts[0]) != nil || CheckID(parts[1]) != nil {
		return "", "", "", false
	}
	switch leaf = Leaf(parts[2]); leaf {
	case LeafRecords, LeafHello, LeafAck, LeafStatus, LeafBeat, LeafReport, LeafDesk, LeafCommand, LeafNonce,
		LeafPolicy, LeafRetire, LeafRetired:
		return parts[0], parts[1], leaf, true
	}
	return "", "", "", false
}

// CheckReportTopic returns what is wrong with a topic that a machine publishes its
// reports on, and how to write it; nil when it is right.
func CheckReportTopic(topic string) error {
	const form = Root + "/<county>/<machine>/" + string(LeafReport)
	_, id, leaf, ok := ParseTopic(topic)
	if ok && leaf == LeafReport && id != CollectorID {
		return nil
	}
	why := ""
	if levels := strings.Split(topic, "/"); !ok && len(levels) == 5 && strings.HasPrefix(topic, Root+"/") {
		for _, id := range levels[2:4] {
			if err := CheckID(id); err != nil {
				why = ": " + err.Error()
			}
		}
	}
	return fmt.Errorf("the topic is not of this contract%s: let the machine publish on %s", why, form)
}
