package track

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// column is what a table's header line says of a column: OSD.latitude [deg] has
// the words osd and latitude, and the note deg.
type column struct {
	name  string // as it stands
	index int
	words []string
	notes []string
}

var bracketed = regexp.MustCompile(`[\[(（<]([^\])）>]*)[\])）>]`)

func newColumn(name string, index int) column {
	c := column{name: strings.TrimSpace(name), index: index}
	for _, m := range bracketed.FindAllStringSubmatch(c.name, -1) {
		c.notes = append(c.notes, strings.ToLower(strings.TrimSpace(m[1])))
	}
	c.words = words(bracketed.ReplaceAllString(c.name, " "))
	return c
}

// words divides a name at what is no letter or digit, and where a capital begins a
// word: GPSLat is gps and lat, updateTime is update and time. They are in lower case.
func words(name string) (out []string) {
	letters := []rune(name)
	var word []rune
	for i, r := range letters {
		inWord := unicode.IsLetter(r) || unicode.IsDigit(r)
		capital := i > 0 && unicode.IsUpper(r) && (unicode.IsLower(letters[i-1]) ||
			i+1 < len(letters) && unicode.IsLower(letters[i+1]))
		if (!inWord || capital) && len(word) > 0 {
			out, word = append(out, strings.ToLower(string(word))), word[:0]
		}
		if inWord {
			word = append(word, r)
		}
	}
	if len(word) > 0 {
		out = append(out, strings.ToLower(string(word)))
	}
	return out
}

// has reports whether a column has one of the words.
func (c column) has(words ...string) bool {
	return slices.ContainsFunc(c.words, func(w string) bool { return slices.Contains(words, w) })
}

// noted reports whether a word or note of a column is one of the words.
func (c column) noted(words ...string) bool {
	return c.has(words...) || slices.ContainsFunc(c.notes, func(n string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return n == w })
	})
}

// Words of headers.
var (
	latitudes  = []string{"lat", "latitude", "纬度", "北纬"}
	longitudes = []string{"lon", "long", "lng", "longitude", "经度", "东经"}

	// elsewhere says that a position is not the machine's own.
	elsewhere = []string{
		"home", "rc", "remote", "controller", "app", "appgps", "mobile", "phone", "operator", "pilot", "gcs",
		"base", "station", "target", "waypoint", "wp", "goal", "dest", "destination", "takeoff", "launch",
		"start", "prev", "next", "plan", "planned", "setpoint", "origin", "返航点", "返航", "起飞点", "目标",
		"遥控器", "操作员",
	}
	// offset says that a position is in another coordinate system.
	offset = []string{
		"gcj", "gcj02", "mars", "bd", "bd09", "baidu", "amap", "gaode", "tencent", "百度", "高德", "火星",
	}
	// about says that a column is about a position, not one.
	about = []string{
		"accuracy", "acc", "error", "err", "std", "stddev", "sigma", "dev", "rate", "speed", "velocity", "vel",
		"hemisphere", "ref", "dir", "direction", "indicator", "offset", "delta", "半球",
	}
)

// isLat and isLon report whether a column holds an angle.
func (c column) isLat() bool {
	return c.hasPart(latitudes) && !c.hasPart(longitudes) && !c.hasPart(about)
}
func (c column) isLon() bool {
	return c.hasPart(longitudes) && !c.hasPart(latitudes) && !c.hasPart(about)
}

// hasPart is has; words in Chinese may stand within others.
func (c column) hasPart(words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool {
		return c.has(w) || w[0] >= 0x80 && strings.Contains(c.name, w)
	})
}

// otherSystem reports whether a column is in another coordinate system.
func (c column) otherSystem() bool {
	return slices.ContainsFunc(c.notes, func(n string) bool { return newColumn(n, 0).hasPart(offset) }) ||
		c.hasPart(offset)
}

// hemisphere reports whether a column holds the letter of a's hemisphere.
func (c column) hemisphere(a axis) bool {
	ns := c.has("ns", "n") && (c.has("s") || c.has("ns")) && !c.isLat()
	ew := c.has("ew", "e") && (c.has("w") || c.has("ew")) && !c.isLon()
	part := c.has("hemisphere", "ref", "dir", "direction", "indicator", "半球")
	if a.name == latitude.name {
		return ns || part && c.hasPart(latitudes)
	}
	return ew || part && c.hasPart(longitudes)
}

// rank says how well a column of an angle is the machine's own position in WGS-84:
// 0 not at all.
func (c column) rank() int {
	switch {
	case c.hasPart(elsewhere), c.otherSystem():
		return 0
	case c.noted("wgs", "wgs84", "84"):
		return 2
	}
	return 1
}

// prefix returns the words of a column that do not name the value.
func (c column) prefix() string {
	return strings.Join(slices.DeleteFunc(slices.Clone(c.words), func(w string) bool {
		return slices.Contains(latitudes, w) || slices.Contains(longitudes, w)
	}), " ")
}

// style returns 1 for whole words, such as latitude, and 0 for short ones.
func (c column) style() int {
	if c.has("latitude", "longitude") {
		return 1
	}
	return 0
}

// place returns the columns of latitude and longitude: the best of the machine's
// own, in WGS-84, of one kind, the first among equals; ok is false when there are
// none.
func place(all []column) (lat, lon column, ok bool) {
	best := 0
	for _, a := range all {
		if !a.isLat() || a.rank() == 0 {
			continue
		}
		for _, b := range all {
			if !b.isLon() || b.rank() == 0 || b.index == a.index {
				continue
			}
			score := 8 * min(a.rank(), b.rank())
			if a.prefix() == b.prefix() {
				score += 4
			}
			if a.style() == b.style() {
				score += 2
			}
			if score > best {
				lat, lon, best = a, b, score
			}
		}
	}
	return lat, lon, best > 0
}

// zone returns the zone that the header names for a time; nil: none. local is the
// county's.
func (c column) zone(local *time.Location) *time.Location {
	for _, n := range slices.Concat(c.notes, c.words) {
		switch {
		case n == "utc" || n == "gmt" || n == "z" || n == "zulu":
			return time.UTC
		case n == "local" || n == "本地" || n == "本地时间" || n == "当地时间" || n == "localtime":
			return local
		case strings.Contains(n, "北京时间") || n == "beijing":
			return time.FixedZone("", 8*3600)
		}
		if m := zones.FindStringSubmatch(n); m != nil && m[2] != "" {
			return zoneOf(m[1], m[2], m[3], m[4])
		}
	}
	return nil
}
