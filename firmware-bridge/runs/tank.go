package runs

// tank follows a level in percent; first - fell + filled = low at any time.
type tank struct {
	known  bool
	first  float64 // when it began
	high   float64 // when it began, or after the last refill
	low    float64 // the lowest since
	before float64 // what fell before the last refill
	filled float64 // what refills brought
	times  int     // refills
}

// rises reports whether a level is a refill.
func (k *tank) rises(level float64) bool { return k.known && level > k.low+tankRise }

// fell returns by how much the level fell, refills aside.
func (k *tank) fell() float64 { return k.before + k.high - k.low }

// add adds the next level.
func (k *tank) add(level float64) {
	switch {
	case !k.known:
		*k = tank{known: true, first: level, high: level, low: level}
	case level < k.low:
		k.low = level
	case level > k.high && k.low == k.high: // it is still being filled
		if k.times == 0 {
			k.first = level
		} else {
			k.filled += level - k.high
		}
		k.high, k.low = level, level
	case k.rises(level):
		k.before += k.high - k.low
		k.filled += level - k.low
		k.high, k.low = level, level
		k.times++
	}
}
