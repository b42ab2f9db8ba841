package policy

import (
	"fmt"
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

// The ends of the ranges of an episode and of a guard's reasons are in them.
func TestTheEndsOfRangesAreTaken(t *testing.T) {
	const head = "version: \"1\"\nlimits: {fever_c: 37.3, invalid_below_c: 35.0, pairing: 8s}\n" +
		"classes: {resident: {fever: go-home, directions: [in, out]}}\n"
	reasons := func(n, words int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf("{code: r%d, zh: %s, en: %s}", i, strings.Repeat("封", words),
				strings.Repeat("e", words)))
		}
		return "overrides: {verdicts: [refuse], reasons: [" + strings.Join(list, ", ") + "]}\n"
	}
	for text, taken := range map[string]bool{
		"episode: {wait: 10s, expires: 11s}\n": true, "episode: {wait: 9s, expires: 11s}\n": false,
		"episode: {wait: 2h, expires: 24h}\n": true, "episode: {wait: 121m, expires: 24h}\n": false,
		"episode: {wait: 2h, expires: 1441m}\n": false, "episode: {wait: 1m, expires: 1m}\n": false,
		reasons(12, 40): true, reasons(13, 40): false, reasons(1, 41): false,
	} {
		if _, err := Parse([]byte(head + text)); (err == nil) != taken {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}
