package status

// Alive is what a running agent says of itself in a file, by which an upgrade finds out whether
// the version that it has installed comes up and delivers.
type Alive struct {
	Run       string `json:"run"`       // random, new at each start
	Version   string `json:"version"`   // of the program
	Recording bool   `json:"recording"` // the journal was read, and no part is stuck
	Linked    bool   `json:"linked"`    // the county answers
	// Delivers says that since the start the county has acknowledged something new, or has
	// answered while nothing waited.
	Delivers bool `json:"delivers"`
}
