package ruleset

import (
	"bytes"
	"errors"
	"gatehouse/gateway/rulebook"
	"gatehouse/gateway/sealed"
	"gatehouse/gateway/wire"
	"os"
	"testing"
)

func TestASetIsFetchedAFewPartsAtATimeAndKept(t *testing.T) {
	b := newBench(t)
	b.publish(b.set(7, 9))
	b.turn(40)
	b.wants("published", 1, "")
	if b.most > window || len(b.open) != 0 {
		t.Errorf("%d subscriptions at a time, %d are left", b.most, len(b.open))
	}
	s, err := Load(b.file, at, b.r.opts.Collector, b.secret)
	if err != nil || s.No != 7 || len(s.File(rulebook.PolicyFile)) == 0 || s.File("x") != nil {
		t.Fatalf("%+v, %v", s.No, err)
	}
	if info, err := os.Stat(b.file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	b.start(s)
	b.publish(b.set(7, 9)) // with another signature: it was encrypted anew
	b.turn(3)
	b.wants("the same number, and another set", 1, "higher number")
	b.publish(b.set(6, 2))
	b.turn(3)
	b.wants("an older one, of a broker that was restored", 1, "older than the set in force")
	b.publish(b.set(8, 2))
	b.turn(20)
	b.wants("the next", 2, "")
	b.r.Hear(wire.Topic(at.County, at.Agent, wire.LeafPolicy), nil)
	b.turn(3)
	b.wants("cleared", 2, "")
}

// The county is cut off in the middle: nothing of half a set comes into force.
func TestHalfASetIsNeverApplied(t *testing.T) {
	b := newBench(t)
	whole := b.set(7, 6)
	half := whole
	half.Parts = whole.Parts[:3]
	b.publish(half)
	b.turn(30)
	b.wants("half of it", 0, "")
	b.now += missingFor
	b.turn(3)
	b.wants("a minute later", 0, "not all parts of set 7")
	swapped := whole.Parts[3]
	b.retained[wire.PartTopic(at.County, at.Agent, 7, 3)] = whole.Parts[4]
	b.now += askAgain
	b.turn(20)
	b.wants("a part in another's place", 0, "not all parts")
	b.retained[wire.PartTopic(at.County, at.Agent, 7, 3)] = swapped
	b.publish(rulebook.Sealed{Manifest: whole.Manifest, Parts: whole.Parts})
	b.now += askAgain
	b.turn(30)
	b.wants("the rest", 1, "")
}

func TestANewerSetTakesThePlaceOfOneThatIsNotThereYet(t *testing.T) {
	b := newBench(t)
	b.manifest(b.set(7, 6).Manifest)
	b.turn(10)
	b.publish(b.set(8, 2))
	b.turn(20)
	b.wants("the newer", 1, "")
	if b.applied[0] != 8 || len(b.open) != 0 {
		t.Errorf("%v is applied, %v are open", b.applied, b.open)
	}
	b.manifest(b.set(10, 3).Manifest)
	b.turn(4)
	b.manifest(b.set(9, 3).Manifest)
	b.turn(4)
	b.wants("an older one meanwhile", 1, "set 9 came after set 10")
}

func TestWithoutALineItIsAskedAgain(t *testing.T) {
	b := newBench(t)
	b.offline = true
	s := b.set(7, 6)
	b.publish(s)
	b.turn(5)
	b.offline = false
	b.turn(2)
	b.open = map[string]bool{} // the line breaks; what was on its way is lost
	for len(b.r.parts) > 0 {
		<-b.r.parts
	}
	b.publish(s)
	b.turn(40)
	b.wants("over another line", 1, "")
}

func TestASetThatIsWrongIsRefusedOnceAndTheNextIsTaken(t *testing.T) {
	b := newBench(t)
	b.wrong = errors.New("line 7: no such class")
	wrong := b.set(7, 2)
	b.publish(wrong)
	b.turn(20)
	b.wants("wrong", 0, "set 7 (v): line 7")
	if _, err := os.Stat(b.file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a wrong set is kept: %v", err)
	}
	b.publish(wrong)
	b.turn(5)
	if b.r.getting != nil {
		t.Error("a set that was refused is fetched again")
	}
	b.wrong = nil
	b.publish(b.set(8, 2))
	b.turn(20)
	b.wants("mended", 1, "")
}

func TestStrangersSetsAreRefused(t *testing.T) {
	b := newBench(t)
	s := b.set(7, 1)
	forged := s.Manifest
	forged.No++
	b.manifest(forged)
	b.turn(3)
	b.wants("changed", 0, "not signed by the county's collector")
	b.r.Hear(wire.Topic(at.County, at.Agent, wire.LeafPolicy), []byte("hello"))
	b.turn(3)
	b.wants("no manifest", 0, "not signed by the county's collector")
	b.publish(s)
	b.turn(5)
	b.wants("mended", 1, "")
	b.r.Hear(wire.PartTopic(at.County, "gate-018", 7, 0), s.Parts[0])
	b.r.Hear("something/else", s.Parts[0])
	if len(b.r.parts) != 0 {
		t.Error("a message of another's is taken")
	}
}

// A gate gets its secret, or says its new one to the county, after a set was published.
func TestASetThatCantBeOpenedIsTriedAgain(t *testing.T) {
	b := newBench(t)
	b.publish(b.set(7, 1))
	right := b.secret
	other, _, err := sealed.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	b.secret = other
	b.turn(5)
	b.wants("another secret", 0, "can't decrypt it")
	b.secret = right
	b.turn(5)
	b.wants("at once", 0, "can't decrypt it")
	b.now += tryAgain
	b.turn(5)
	b.wants("a minute later", 1, "")
}

func TestAKeptSetThatWasChangedIsNotUsed(t *testing.T) {
	b := newBench(t)
	b.publish(b.set(7, 2))
	b.turn(10)
	good, err := os.ReadFile(b.file)
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string][]byte{"empty": {}, "half": good[:len(good)/2],
		"another no": bytes.Replace(good, []byte(`"no":7`), []byte(`"no":9`), 1)} {
		if err := os.WriteFile(b.file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(b.file, at, b.r.opts.Collector, b.secret); err == nil {
			t.Errorf("%s: it is used", what)
		}
	}
}
