package policy

// people are the persons of a roster, in the order of its lines. What many of them have
// in common is kept once: a gate's computer has little memory, and a roster 60,000 lines.
type people struct {
	rows       []personRow
	shared     []Person // without household, opening and line
	households []string
	openings   map[int32]*Opening // by index in rows
	lines      lines              // what the guard sees of them
}

// personRow is a person, as indexes of shared, households and lines.
type personRow struct{ shared, household, line, shown int32 }

// at returns the person on a row.
func (l *people) at(i int32) Person {
	row := l.rows[i]
	p := l.shared[row.shared]
	p.Household, p.Opening, p.Line = l.households[row.household], l.openings[i], int(row.line)
	return p
}

// adder adds people; what it remembers of them is only needed meanwhile.
type adder struct {
	people
	sharedAt    map[Person]int32
	householdAt map[string]int32
}

func newAdder() adder {
	return adder{people: people{openings: map[int32]*Opening{}}, sharedAt: map[Person]int32{},
		householdAt: map[string]int32{}}
}

// add adds a person, of whom the guard sees shown, and returns the row.
func (a *adder) add(p Person, shown string) int32 {
	i := int32(len(a.rows))
	row := personRow{line: int32(p.Line), household: index(&a.households, a.householdAt, p.Household),
		shown: a.lines.add(shown)}
	if p.Opening != nil {
		a.openings[i] = p.Opening
	}
	p.Household, p.Opening, p.Line = "", nil, 0
	row.shared = index(&a.shared, a.sharedAt, p)
	a.rows = append(a.rows, row)
	return i
}

// index returns the index of x in list, to which it is appended if it is new.
func index[T comparable](list *[]T, at map[T]int32, x T) int32 {
	i, known := at[x]
	if !known {
		i = int32(len(*list))
		*list = append(*list, x)
		at[x] = i
	}
	return i
}
