package commandlines

import (
	"fmt"
	"strings"
	"testing"
)

func TestCommandLinesAreFound(t *testing.T) {
	page := strings.ReplaceAll(`Type ~gatehouse status~, or just ~gatehouse~, or ~gatehouse runs --dir X | head~.
gatehouse leaves this line alone.

~~~sh
$ sudo gatehouse explain gate-017 4711   # why
bin/gatehouse machines try --topic a/b \
  --payload '{"a": 1; "b": "#2"}' && echo done
INFLUX_URL=http://a bin/gatehouse collect --config "a b.yaml" > log
ExecStart=/usr/bin/gatehouse agent --enrol
gatehouse-simulator demo
simulator gatehouse
~~~
`, "~", "`")
	got := ""
	for _, l := range in("A.md", "gatehouse", page) {
		got += fmt.Sprintf("%s %q %v\n", l.Where, l.Words, l.Whole)
	}
	want := `A.md:1 ["status"] false
A.md:1 ["runs" "--dir" "X"] false
A.md:5 ["explain" "gate-017" "4711"] true
A.md:6 ["machines" "try" "--topic" "a/b" "--payload" "{\"a\": 1; \"b\": \"#2\"}"] true
A.md:8 ["collect" "--config" "a b.yaml"] true
A.md:9 ["agent" "--enrol"] true
`
	if got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
	if _, err := Of(".", "gatehouse", "nothing/*.md"); err == nil {
		t.Error("a pattern without files is no error")
	}
}
