package ship

import "time"

// forgetLimit is how long a size that did not come back bounds the batches: the
// broker may have been configured anew since.
const forgetLimit = time.Hour

// forgetMiss is how long two batches that did not come back may be apart and still
// tell something together.
const forgetMiss = 5 * time.Minute

// sizing finds by what comes back how large a message may be. Brokers have limits
// of which they say nothing: one takes a larger message with a PUBACK and drops
// it, another one disconnects; and on a line with a smaller MTU than it claims
// large packets never arrive. The zero value knows no limit.
type sizing struct {
	most   int           // bytes that a batch may have; 0: no limit is known
	passed int           // the largest batch that was acknowledged, bytes
	failed int           // the smallest that never was, bytes; 0: none, or forgotten
	found  time.Duration // boot clock: when failed was found
	from   uint64        // first seq of the last batch that did not come back
	misses int           // how often it did not, it or others of a size that never did
	alone  int           // how often a batch with this first seq did not
	lost   int           // its size, bytes
	at     time.Duration // boot clock: when it did not
	unsure bool          // since then none has come back
	held   span          // the single record that does not come back; to is 0: there is none
}

// limit returns how many bytes a batch may have, of those that are asked for.
func (s *sizing) limit(asked int) int {
	if s.most > 0 {
		return min(asked, s.most)
	}
	return asked
}

// came notes that a batch was acknowledged. The next ones may be larger, bit by
// bit, up to a little less than what failed.
func (s *sizing) came(now time.Duration, b span) {
	s.passed = max(s.passed, b.bytes)
	if b.to >= s.from {
		s.alone, s.unsure, s.held = 0, false, span{}
	}
	if b.bytes >= s.lost {
		s.misses = 0 // it was not the size
	}
	if s.failed > 0 && (b.bytes >= s.failed || now-s.found >= forgetLimit) {
		s.failed = 0
	}
	if s.most > 0 && b.bytes >= s.most/4*3 {
		s.most += max(s.most/8, 1)
		if s.failed > 0 {
			s.most = min(s.most, max(s.failed/8*7, 1))
		}
	}
	if s.most >= maxPayload {
		s.most = 0
	}
}

// missed notes that a batch was sent and did not come back. When that happens
// twice it halves what is sent, and at once where a limit is known; of a size that
// has come back before it takes three times. Of a single record it notes that it
// is held up. It reports whether it has changed anything.
func (s *sizing) missed(now time.Duration, b span) (changed bool) {
	// On a new connection small batches come back before the next large one does
	// not: it need not be the same one.
	if s.from != b.from {
		s.alone = 0
		if b.bytes <= s.passed || now-s.at > forgetMiss {
			s.misses = 0
		}
	}
	s.from, s.lost, s.at = b.from, b.bytes, now
	s.misses++
	s.alone++
	s.unsure = true
	enough := 2
	switch {
	case b.from == b.to:
		s.misses = s.alone
	case b.bytes <= s.passed:
		enough = 3
	case s.failed > 0:
		enough = 1
	}
	if s.misses < enough {
		return false
	}
	if b.from == b.to {
		changed, s.held = s.held.to == 0, b
		return changed
	}
	s.misses = 0
	s.failed, s.found = b.bytes, now
	s.passed = min(s.passed, b.bytes/2)
	s.most = max(b.bytes/2, 1)
	return true
}
