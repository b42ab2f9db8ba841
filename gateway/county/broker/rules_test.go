package broker

// testRules are those of an agent whose password was right.
func testRules() *rules {
	r := &rules{who: greeting{client: "gate-001", user: "gate-001"}, visitor: &visitor{},
		shared: &shared{door: &door{certificates: true}, visitors: newVisitors(), retained: newRetained(),
			kept: newKept()},
		complain: func(string, string) {}, accepted: make(chan struct{}), filters: map[string]bool{}}
	close(r.accepted)
	return r
}
