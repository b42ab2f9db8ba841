package explain

import "strconv"

// Replaced says which passage of the same journal a passage replaced, and which one holds
// instead of it; 0: none.
func Replaced(replaces, by uint64) (out []Sentence) {
	add := func(code string, seq uint64) {
		if seq != 0 {
			out = append(out, Sentence{Part: PartRecord, Code: "explain." + code,
				With: map[string]string{"seq": strconv.FormatUint(seq, 10)}})
		}
	}
	add("replaces", replaces)
	add("replaced", by)
	return out
}
