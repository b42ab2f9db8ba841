package mapping

import (
	"fmt"
	"strings"
)

// enough is after how many messages without it a mapped field counts as misspelt.
const enough = 20

// Tally counts what one topic's messages hold. The zero value is ready to use. It
// is for one goroutine at a time.
type Tally struct {
	messages, empty int
	came            map[string]bool // names of fields that a message had
	said            bool
}

// Add counts a message that could be read. The first time that enough messages
// have come and none had one of the mapped fields it returns a warning that names
// the field, and what the messages have instead; otherwise it is empty.
func (t *Tally) Add(r Reading, payload []byte) (warning string) {
	t.messages++
	if r.Empty() {
		t.empty++
	}
	var missing []string
	for _, f := range r.Fields {
		if f.State != Missing {
			if t.came == nil {
				t.came = map[string]bool{}
			}
			t.came[f.Name] = true
		}
		if !t.came[f.Name] {
			missing = append(missing, fmt.Sprintf("%s (%s)", f.Path, f.Name)+likely(f.Path, payload))
		}
	}
	if t.said || t.messages < enough || len(missing) == 0 {
		return ""
	}
	t.said = true
	return fmt.Sprintf("in %d messages there was no %s: check the spelling with gatehouse machines try",
		t.messages, strings.Join(missing, ", no "))
}

// Empty returns how many messages said nothing of the machine.
func (t *Tally) Empty() int { return t.empty }

// likely returns which path of a message was probably meant; empty: none.
func likely(path string, payload []byte) string {
	last := func(path string) string { return path[strings.LastIndexAny(path, ".]")+1:] }
	best := ""
	for _, leaf := range Leaves(payload) {
		if strings.EqualFold(leaf.Path, path) {
			best = leaf.Path
			break
		}
		if best == "" && last(path) != "" && strings.EqualFold(last(leaf.Path), last(path)) {
			best = leaf.Path
		}
	}
	if best == "" {
		return ""
	}
	return ", but " + best
}
