package influx_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/gateway/county/store"
	"gatehouse/gateway/testkit/storetest"
)

// tests are run with a bucket each.
type tests map[string]func(*testing.T, bucket)

func (all tests) run(t *testing.T, anew database) {
	for name, test := range all {
		t.Run(name, func(t *testing.T) { test(t, anew(t)) })
	}
}

func TestInflux1(t *testing.T) {
	anew := influx1(t)
	testDatabase(t, anew)
	tests{
		"points of the earlier version":  testPointsOfTheEarlierVersionAreRead,
		"the marker":                     testTheMarkerIsCheckedAndWrittenAgainAsTimePasses,
		"credentials":                    testCredentialsAreNeverTags,
		"the queries of the schema page": testTheQueriesOfTheSchemaPageFindSomething,
	}.run(t, anew)
}

// testDatabase tests the store with a real InfluxDB of any version.
func testDatabase(t *testing.T, anew database) {
	tests{
		"store":                            testStore,
		"crash between points and books":   testCrash,
		"deleted and made again":           testDeleted,
		"restored from a backup":           testRestored,
		"older than it keeps":              testRetention,
		"the border of what it keeps":      testBorder,
		"the newest is too old":            testADatabaseThatTakesTheNewestForTooOldIsAtFault,
		"a field has another type there":   testConflict,
		"lost answers":                     testLateAnswer,
		"cut answers":                      testAnAnswerThatWasCutIsNotTakenForAnEmptyDatabase,
		"headers":                          testHeaders,
		"batches that are cut anew":        testBatchesThatAreCutAnewLoseNothing,
		"clocks that stop and step back":   testRecordsOfOneTimeAndOfAClockThatStepsBackAreStored,
		"one agent is refused":             testOneAgentThatIsRefusedDelaysNoOther,
		"small requests":                   testAProxyThatLimitsTheSizeOfARequestGetsSmallerOnes,
		"not ready":                        testADatabaseThatIsNotReadyPutsNothingInQuarantine,
		"a point is refused":               testAPointThatIsRefusedGoesToQuarantineAndTheOthersAreStored,
		"everything is refused":            testADatabaseThatRefusesEverythingIsAtFault,
		"pages":                            testWhatIsNotAnInfluxDBTakesNothing,
		"a marker that can't be read back": testAMarkerCountsWhenItWasReadBack,
	}.run(t, anew)
}

func testStore(t *testing.T, b bucket) {
	storetest.Run(t, func(t *testing.T) (storetest.Opened, func() storetest.Opened) {
		books := filepath.Join(t.TempDir(), strings.ReplaceAll(t.Name(), "/", "_"), "books.db")
		must(t, os.MkdirAll(filepath.Dir(books), 0o700))
		s := openIn(t, b.options(), books)
		return opened(s), func() storetest.Opened {
			must(t, s.Close())
			return opened(openIn(t, b.options(), books))
		}
	})
}

// After a crash between points and books the same points are written.
func testCrash(t *testing.T, b bucket) {
	books := filepath.Join(t.TempDir(), "books.db")
	s := openIn(t, b.options(), books)
	commit(t, s, storetest.Batch(1, 1, 2))
	s.Close()
	backup, err := os.ReadFile(books) // the books before the crash; a closed file has no WAL
	must(t, err)
	s = openIn(t, b.options(), books)
	commit(t, s, storetest.Batch(1, 3, 8)) // points and books
	s.Close()
	must(t, os.WriteFile(books, backup, 0o600))
	s = openIn(t, b.options(), books) // the points are there, and not in the books
	if r := commit(t, s, storetest.Batch(1, 3, 8))[0]; r.Through != 8 || len(r.Rejected) != 0 {
		t.Fatalf("receipt %+v", r)
	}
	if n := count(t, s); n != 8 {
		t.Fatalf("%d rows after the rewrite", n)
	}
}

// A bucket that was deleted and made again, while the store is open, begins a new
// term and needs everything again.
func testDeleted(t *testing.T, b bucket) {
	s := openIn(t, b.lasting(), filepath.Join(t.TempDir(), "books.db"))
	commit(t, s, storetest.Batch(1, 1, 4))
	_, before, _ := s.Identity(t.Context())
	b.drop(t)
	_, err := s.Commit(t.Context(), []store.Batch{storetest.Batch(1, 5, 6)})
	if err == nil || !strings.Contains(err.Error(), "is not there") {
		t.Fatalf("without the bucket: %v", err)
	}
	if _, term, _ := s.Identity(t.Context()); term != before {
		t.Fatalf("without the bucket the term is %d, it was %d", term, before)
	}
	b.create(t)
	if r := commit(t, s, storetest.Batch(1, 5, 6))[0]; !r.Gap || r.Through != 0 {
		t.Fatalf("in a new bucket a later batch gives %+v", r)
	}
	if _, after, _ := s.Identity(t.Context()); after <= before {
		t.Fatalf("the term is %d, it was %d", after, before)
	}
	if r := commit(t, s, storetest.Batch(1, 1, 6))[0]; r.Through != 6 || count(t, s) != 6 {
		t.Fatalf("sent again: %+v, %d rows", r, count(t, s))
	}
}

// A database restored from a backup has the right marker, and lacks what was written
// after the backup: only an operator can tell.
func testRestored(t *testing.T, b bucket) {
	s := openIn(t, b.options(), filepath.Join(t.TempDir(), "books.db"))
	at := func(d time.Duration, from, to uint64) store.Batch {
		b := storetest.Batch(1, from, to)
		b.Received = storetest.T0.Add(d)
		return b
	}
	reports := storetest.Batch(2, 1, 3) // nobody sends these again
	sent := []store.Batch{at(0, 1, 4), at(2*time.Hour, 5, 8), at(2*time.Hour+time.Minute, 9, 12)}
	for _, b := range append(sent, reports) {
		commit(t, s, b)
	}
	// Points of records have the time of their first seq below a second; see cutTime.
	b.forget(t, time.Unix(0, storetest.T0.UnixNano()&^(1<<30-1)+5<<8), "gate-001")
	if n := count(t, s); n != 7 {
		t.Fatalf("the backup has %d rows", n)
	}
	if commit(t, s, sent...); count(t, s) != 7 {
		t.Fatal("records were written again that are in the books")
	}
	n, err := s.Rewind(t.Context(), storetest.T0.Add(2*time.Hour+30*time.Second),
		func(p store.Position) bool { return p.Agent == "gate-002" })
	if err != nil || n != 1 {
		t.Fatalf("%d journals were set back, %v", n, err)
	}
	if r := commit(t, s, sent[2])[0]; !r.Gap || r.Through != 4 {
		t.Fatalf("a later batch gives %+v", r)
	}
	for _, r := range commit(t, s, sent...) {
		if r.Gap || len(r.Rejected) != 0 {
			t.Fatalf("sent again: %+v", r)
		}
	}
	pos, err := s.Position(t.Context(), storetest.JID(2))
	if n := count(t, s); err != nil || pos.Through != 3 || n != 15 {
		t.Fatalf("the reports are at %d, %v; %d rows", pos.Through, err, n)
	}
}

// Somebody else has written a field with another type. What the database does not
// take is in quarantine, or its agents wait; kinds without that field are stored.
func testConflict(t *testing.T, b bucket) {
	post(t, b.options(), `temperature_screening,agent=somebody screening_c="36.5",seq="x" `+
		fmt.Sprint(storetest.T0.UnixNano()))
	s := openIn(t, b.options(), filepath.Join(t.TempDir(), "books.db"))
	few, many := storetest.Batch(1, 1, 2), storetest.Batch(2, 1, 200)
	r := commit(t, s, of("gate-001", few), of("gate-002", many))
	if r[0].Refused || r[0].Through != 2 || len(r[0].Rejected) != 1 || r[0].New != 1 {
		t.Errorf("few: %+v", r[0])
	}
	if !r[1].Refused || !strings.Contains(r[1].Why, "conflict") || r[1].Through != 0 {
		t.Errorf("many: %+v", r[1])
	}
	if holes, err := s.Holes(t.Context()); len(holes) != 0 || err != nil {
		t.Errorf("holes %+v, %v", holes, err)
	}
}
