package policy

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"gatehouse/gateway/config"
)

// Guard is one line of the list of guards: somebody, or a group, who may be on duty at
// a gate. It holds no person's name.
type Guard struct {
	ID   string // such as east-1
	Card string // as in the roster, a number or pseudonyms; empty: none
	Hash string // of the PIN, by bcrypt; empty: none
}

// guardColumns is the header of the list.
var guardColumns = []string{"guard", "card", "pin"}

const (
	maxGuards = 50
	pinCost   = 11 // of bcrypt: about 100 ms
	minPIN    = 4  // digits
	maxPIN    = 8
	maxID     = 32
)

// NewGuardPIN returns the hash of a PIN, or an error that says why it is none.
func NewGuardPIN(pin string) (hash string, err error) {
	if len(pin) < minPIN || len(pin) > maxPIN || strings.Trim(pin, "0123456789") != "" {
		return "", fmt.Errorf("a PIN has %d to %d digits", minPIN, maxPIN)
	}
	steps := map[int]bool{}
	for i := 1; i < len(pin); i++ {
		steps[int(pin[i])-int(pin[i-1])] = true
	}
	if len(steps) == 1 && (steps[0] || steps[1] || steps[-1]) {
		return "", errors.New("whoever guesses begins with such a PIN: take another one")
	}
	b, err := bcrypt.GenerateFromPassword([]byte(pin), pinCost)
	return string(b), err
}

// ParseGuards reads a list of guards: CSV with the header guard,card,pin. Its error
// names the line, and repeats neither card nor hash.
func ParseGuards(text []byte) ([]Guard, error) {
	text, err := config.Text(text)
	if err != nil {
		return nil, err
	}
	rd := csv.NewReader(bytes.NewReader(text))
	header, err := rd.Read()
	if err != nil || !slices.Equal(header, guardColumns) {
		return nil, fmt.Errorf("line 1 must be %s", strings.Join(guardColumns, ","))
	}
	var list []Guard
	for {
		row, err := rd.Read()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err // it names the line
		}
		line, _ := rd.FieldPos(0)
		g := Guard{ID: row[0], Card: row[1], Hash: row[2]}
		if err := g.check(list); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if list = append(list, g); len(list) > maxGuards {
			return nil, fmt.Errorf("line %d: a gate has %d guards at most", line, maxGuards)
		}
	}
}

// check returns what is wrong with a guard who follows others.
func (g Guard) check(others []Guard) error {
	if len(g.ID) > maxID || !reasonCode.MatchString(g.ID) || g.ID == "guard" {
		return fmt.Errorf("guard %.40q: write small letters, digits and hyphens, such as east-1, and no person's name",
			g.ID)
	}
	if g.Card == "" && g.Hash == "" {
		return fmt.Errorf("%s has neither card nor PIN", g.ID)
	}
	if _, are := pseudonyms(g.Card); g.Card != "" && !are {
		if _, _, err := credential(g.Card); err != nil {
			return err
		}
	}
	if g.Hash != "" {
		if cost, err := bcrypt.Cost([]byte(g.Hash)); err != nil || cost > pinCost+1 {
			return fmt.Errorf("the PIN of %s is not as gatehouse guard pin writes it; never write a PIN itself", g.ID)
		}
	}
	for _, x := range others {
		if x.ID == g.ID {
			return fmt.Errorf("%s is there twice", g.ID)
		}
		if g.Card != "" && strings.EqualFold(x.Card, g.Card) {
			return fmt.Errorf("%s has the card of %s", g.ID, x.ID)
		}
	}
	return nil
}

// FormatGuards returns the text of a list, which ParseGuards reads.
func FormatGuards(list []Guard) ([]byte, error) {
	for i, g := range list {
		if err := g.check(list[:i]); err != nil {
			return nil, err
		}
	}
	return formatGuards(list)
}

func formatGuards(list []Guard) ([]byte, error) {
	var b bytes.Buffer
	rows := [][]string{guardColumns}
	for _, g := range list {
		rows = append(rows, []string{g.ID, g.Card, g.Hash})
	}
	err := csv.NewWriter(&b).WriteAll(rows)
	return b.Bytes(), err
}

// Guards are the guards of a gate. The zero value has none: nobody signs in. It is not
// changed after NewGuards.
type Guards struct {
	ids    []string
	hashes map[string]string // by id
	byCard map[string]string // id by pseudonym
}

// NewGuards returns the guards of a list whose cards the rules do not list.
func NewGuards(list []Guard, r *Rules, key Pseudonymer) (Guards, error) {
	g := Guards{hashes: map[string]string{}, byCard: map[string]string{}}
	for _, x := range list {
		g.ids = append(g.ids, x.ID)
		g.hashes[x.ID] = x.Hash
		if x.Card == "" {
			continue
		}
		name, others, err := namer{key: key}.card(x.Card)
		if err != nil {
			return Guards{}, err
		}
		if p, listed := r.Person(name); listed {
			return Guards{}, fmt.Errorf("the card of %s is on line %d of the roster: a guard's card only signs in, "+
				"give them another one", x.ID, p.Line)
		}
		for _, n := range append(others, name) {
			g.byCard[n] = x.ID
		}
	}
	slices.Sort(g.ids)
	return g, nil
}

// IDs returns the ids, sorted.
func (g Guards) IDs() []string { return g.ids }

// HaveCards reports whether a guard of the list has a card.
func (g Guards) HaveCards() bool { return len(g.byCard) > 0 }

// OfCard returns whose card it is; ok is false for everybody else's.
func (g Guards) OfCard(credential string) (id string, ok bool) {
	id, ok = g.byCard[credential]
	return id, ok
}

// Fits reports whether a PIN is a guard's. It takes about 100 ms of a processor, and may
// be called from any goroutine.
func (g Guards) Fits(id, pin string) bool {
	hash := g.hashes[id]
	return hash != "" && len(pin) <= maxPIN && bcrypt.CompareHashAndPassword([]byte(hash), []byte(pin)) == nil
}
