package enrolment

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// The tests of the screen type the code in testdata: it is a right one.
func TestTheExampleOfTheScreensTests(t *testing.T) {
	b, err := os.ReadFile("testdata/code.txt")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := ParseCode(string(b)); err != nil || c.Agent != "gate-017" {
		t.Errorf("%+v, %v", c, err)
	}
	wrong := strings.Fields(string(b))
	wrong[8] = wrong[8][:4] + "0"
	_, err = ParseCode(strings.Join(wrong, " "))
	if g := new(GroupError); !errors.As(err, &g) || g.Group != 9 || g.Line() != 2 || !errors.Is(err, ErrCode) {
		t.Errorf("%v", err)
	}
	_, err = ParseCode(strings.Join(wrong[:3], " ") + " 12")
	if g := new(GroupError); !errors.As(err, &g) || g.Group != 4 || !strings.Contains(g.Error(), "ends within") {
		t.Errorf("%v", err)
	}
}
