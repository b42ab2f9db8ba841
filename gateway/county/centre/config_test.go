package centre

import (
	"testing"

	"gatehouse/gateway/config"
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
