package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"gatehouse/gateway/cli"
	"gatehouse/gateway/county/audit"
)

// A name that nothing has is answered by the one that was meant; a name that has nothing yet
// is no error.
func TestAWrongNameIsAnsweredByTheRightOne(t *testing.T) {
	dir, file := heardOf(t)
	keys := newCounty(t, audit.Head{}) // has the collector's key
	write(t, keys, "sites.yaml", sitesFile)
	write(t, keys, "collect.yaml", countyFile)
	change(t, keys, "INSERT INTO lineages (agent, jid, last, through) VALUES ('gate-002', 'j', 0, 0)")
	roster := write(t, dir, "roster.csv", "card,class,status,household,from,until\n")
	replay, explain := "replay --from 2020-02-14 --check --dir "+dir, "explain --dir "+dir
	for line, want := range map[string]struct {
		code int
		text string
	}{
		"checks -c " + file + " --agent gate-17":                 {2, `no gate "gate-17"; did you mean gate-017?`},
		"checks -c " + file + " --agent gate-017":                {0, "no field checks yet"},
		"checks --dir " + dir + " --agent gate-01":               {2, "did you mean gate-001?"}, // of the store
		"runs --dir " + dir + " --machine fogger20":              {2, "did you mean fogger-20?"},
		"runs --dir " + dir + " --machine xylophone":             {2, `no machine "xylophone"`},
		"runs --dir " + dir + " --machine drone-7":               {0, "no runs yet"},
		explain + " gate-01 1":                                   {1, "did you mean gate-001?"},
		explain + " gate-001 4711":                               {1, "there is no such record"},
		replay + " --gate gate-01":                               {1, "did you mean gate-001?"},
		"rules import -c " + file + " --for gate-18 " + roster:   {2, "did you mean gate-018?"},
		"gate reload gate-1 --as a --reason r -c " + file:        {1, "no desk is configured"},
		"pass issue --county qinghe --gate gate-2 --dir " + keys: {0, "did you mean gate-002?"},
	} {
		var out, errOut bytes.Buffer
		code := cli.Run(t.Context(), strings.Fields(line), strings.NewReader(""), &out, &errOut)
		text := out.String() + errOut.String()
		if code != want.code || !strings.Contains(text, want.text) || code == 0 && want.text[0] == 'n' &&
			strings.Contains(text, "did you mean") {
			t.Errorf("%s: exit code %d, want %d and %q: %s", line, code, want.code, want.text, text)
		}
	}
}
