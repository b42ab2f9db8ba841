package broker

import (
	"crypto/rand"
	"strings"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"

	"gatehouse/gateway/identity/authority"
)

// What each kind may do, over TLS. gate-001 is another one's.
var mayDo = map[authority.Kind]struct{ publish, subscribe []string }{
	authority.Agent: {
		[]string{"me/records", "me/hello", "me/status", "me/beat"},
		[]string{"me/ack", "me/desk", "me/#", "collector/status"},
	},
	authority.Machine: {[]string{"me/report"}, nil},
	authority.Reader:  {nil, otherFilters},
}

// Topics and filters of the county, without its prefix, and whole ones.
var (
	otherTopics = []string{"me/report", "me/records", "me/hello", "me/status", "me/beat", "gate-001/records",
		"gate-001/report", "gate-001/ack", "gate-001/status", "collector/status", "me", "gate-0012/records"}
	otherFilters = []string{"me/ack", "me/desk", "me/#", "collector/status", "+/records", "+/status", "#",
		"gate-001/records", "gate-001/#", "gate-001/ack", "collector/#", "+/+"}
	wholeTopics = []string{"gatehouse/v1/other/me/records", "gatehouse/v1/other/me/report",
		"gatehouse/v1/me/me/records",
		"gatehouse/v2/qinghe/me/records", "else", "$SYS/x", "$JS/API/STREAM/DELETE/$MQTT_msgs",
		"$MQTT/msgs/gatehouse/v1/qinghe/gate-001/records"}
	wholeFilters = []string{"#", "+/#", "+/+/+/+/+", "gatehouse/#", "gatehouse/v1/#", "gatehouse/v1/+/+/records",
		"gatehouse/v1/other/me/ack", "gatehouse/v1/other/#", "$SYS/#", "$JS/#", "$MQTT/#",
		"$share/g/gatehouse/v1/qinghe/gate-001/records", "$share/g/gatehouse/v1/qinghe/me/ack", "$share/g/#", "else"}
)

const ours = "gatehouse/v1/qinghe/"

func TestWhatEachKindMaySubscribeTo(t *testing.T) {
	c := newCounty(t, nil)
	for k, may := range mayDo {
		name := "me-" + string(k)
		pair := c.enrol(t, name, k, long)
		granted := map[string]bool{}
		for _, f := range may.subscribe {
			granted[ours+f] = true
		}
		filters := append([]string{}, wholeFilters...)
		for _, f := range otherFilters {
			filters = append(filters, ours+f)
		}
		me := connect(t, c.by(name+"-"+rand.Text(), pair))
		for _, filter := range filters {
			if got := me.granted(t, named(filter, name)); got != granted[filter] {
				t.Errorf("%s: %s is granted: %t", k, filter, got)
			}
		}
		me.Disconnect(0)
	}
}

func TestWhatEachKindMayPublish(t *testing.T) {
	c := newCounty(t, nil)
	eye := c.eye(t)
	for k, may := range mayDo {
		name := "me-" + string(k)
		pair := c.enrol(t, name, k, long)
		allowed := map[string]bool{}
		for _, topic := range may.publish {
			allowed[ours+topic] = true
		}
		if k == authority.Agent {
			allowed[ours+"me/report"] = true
		}
		topics := append([]string{}, wholeTopics...)
		for _, topic := range otherTopics {
			topics = append(topics, ours+topic)
		}
		for _, topic := range topics {
			if allowed[topic] {
				continue
			}
			for _, qos := range []byte{0, 1} {
				me := connect(t, c.by(name+"-"+rand.Text(), pair)) // the broker may end the connection
				_ = done(me.Publish(named(topic, name), qos, qos == 1, "forged "+topic))
				me.Disconnect(20)
			}
		}
		for topic := range allowed { // and none of the others before
			me := connect(t, c.by(name+"-"+rand.Text(), pair))
			if err := done(me.Publish(named(topic, name), 1, false, "genuine")); err != nil {
				t.Fatal(topic, err, c.log)
			}
			eye.want(t, named(topic, name), "genuine")
			me.Disconnect(20)
		}
	}
	insider := connect(t, insider(t, c.Broker, "collector-end"))
	insider.publish(t, ours+"collector/status", 1, false, "end")
	eye.want(t, ours+"collector/status", "end")
}

// A last will is a message as others are.
func TestALastWillIsNoWayAroundThePermissions(t *testing.T) {
	c := newCounty(t, nil)
	eye := c.eye(t)
	for _, k := range []authority.Kind{authority.Agent, authority.Machine, authority.Reader} {
		name := "me-" + string(k)
		l := c.by(name, c.enrol(t, name, k, long))
		packet := connectPacket("MQTT", 4, 0x26, name, ours+"gate-001/status", "forged")
		answer(t, l, packet) // and hangs up
	}
	insider := connect(t, insider(t, c.Broker, "collector-end"))
	insider.publish(t, ours+"collector/status", 1, false, "end")
	eye.want(t, ours+"collector/status", "end")
}

// granted reports whether a subscription is, and ends it: there may be few at a time.
func (c *client) granted(t *testing.T, filter string) bool {
	t.Helper()
	token, _ := c.Subscribe(filter, 1, nil).(*paho.SubscribeToken)
	_ = done(token) // for paho a refusal is an error
	if len(token.Result()) != 1 {
		t.Fatalf("%s: no answer: %v", filter, token.Error())
	}
	for _, code := range token.Result() { // it has $share filters under other names
		if code == 128 {
			return false
		}
	}
	if err := done(c.Unsubscribe(filter)); err != nil {
		t.Fatal(err)
	}
	return true
}

// named returns a topic of the table for a name.
func named(topic, name string) string { return strings.ReplaceAll(topic, "/me", "/"+name) }
