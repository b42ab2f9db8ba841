package policy

import (
	"fmt"
	"strings"
	"testing"
)

// In a roster of 60,000 one bad line is named, and nothing else.
func TestOneBadLineOf60000IsNamed(t *testing.T) {
	_, p := example(t)
	var b strings.Builder
	b.WriteString(strings.Join(columns, ",") + "\n")
	for i := range 60_000 {
		status := "active"
		if i == 41_233 {
			status = "aktive"
		}
		fmt.Fprintf(&b, "62%08X,resident,%s,%d,,\n", i, status, i/4)
	}
	_, err := ParseRoster(p, strings.NewReader(b.String()), plain{})
	if err == nil || err.Error() != `line 41235: status "aktive": write active, lost or sealed` {
		t.Errorf("%v", err)
	}
}
