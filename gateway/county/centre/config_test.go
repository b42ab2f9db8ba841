package centre

import (
	"strings"
	"testing"

	"gatehouse/gateway/config"
	"gatehouse/gateway/mqtt"
)

func TestTheExampleOfACollectorIsRight(t *testing.T) {
	c, err := config.Load[Config]("../../../deploy/collect.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
	if len(c.Machines) != 3 {
		t.Errorf("machines: %+v", c.Machines)
	}
}

func TestTopicsThatTheEmbeddedBrokerDoesNotCarry(t *testing.T) {
	c, err := config.Parse[Config]([]byte(`{county: qinghe, dir: d, sites: s, machines: [
		{machine: fogger-1, name: 1号, type: fogger, topics: [{topic: zigbee2mqtt/my pump, value: command}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	const want = `machines[0] fogger-1: topics[0] "zigbee2mqtt/my pump": the embedded broker carries no topic`
	if err := c.Check(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v", err)
	}
	c.Broker.External = &mqtt.Broker{URL: "tcp://127.0.0.1:1883"}
	if err := c.Check(); err != nil {
		t.Error(err)
	}
}
