package policy

import (
	"strings"
	"testing"
)

// What is missing altogether stands on no line; what is wrong does.
func TestAFaultNamesALineWhereThereIsOne(t *testing.T) {
	_, err := Parse([]byte("version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8m}\n"))
	if err == nil {
		t.Fatal("a policy without classes is taken")
	}
	for _, line := range strings.Split(err.Error(), "\n") {
		want := strings.Contains(line, "pairing")
		if got := strings.HasPrefix(line, "line "); got != want {
			t.Errorf("%s", line)
		}
	}
}
