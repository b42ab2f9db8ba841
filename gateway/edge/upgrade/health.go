package upgrade

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"gatehouse/gateway/edge/status"
)

// HealthLimit is how long a new version may take to come up and deliver.
const HealthLimit = 2 * time.Minute

// alive reads what the agent says of itself; zero: nothing.
func alive(path string) (a status.Alive) {
	b, err := readSmall(path, 4<<10)
	if err != nil || json.Unmarshal(b, &a) != nil {
		return status.Alive{}
	}
	return a
}

// health is what is known at one moment of a version that is being checked.
type health struct {
	is     status.Alive
	s      State
	over   bool // the time for it is over
	county bool // asked when over: the county answers this computer
}

// judge says whether a version is healthy, failed (with why), or neither yet.
func (h health) judge() (ok bool, remark, why string) {
	up := h.is.Run != "" && h.is.Run != h.s.Run && program(h.s.To) == h.is.Version && h.is.Recording
	switch {
	case up && h.is.Delivers:
		return true, "", ""
	case up && h.s.Alone:
		return true, "the county was away before: the new version records, and nobody has seen it deliver", ""
	case !h.over:
		return false, "", ""
	case up && !h.county:
		return true, "the county went away meanwhile: the new version records, and nobody has seen it deliver", ""
	case up:
		return false, "", fmt.Sprintf("within %s the new version came up, and the county acknowledged nothing of it",
			HealthLimit)
	case h.is.Run == "" || h.is.Run == h.s.Run:
		return false, "", fmt.Sprintf("within %s the new version did not come up", HealthLimit)
	case h.is.Version != program(h.s.To):
		return false, "", fmt.Sprintf("within %s version %.60q came up instead", HealthLimit, h.is.Version)
	}
	return false, "", fmt.Sprintf("within %s the new version came up, and records nothing", HealthLimit)
}

// program returns the version of the program in a package: that of the package without what
// counts how often it was packed.
func program(version string) string {
	version = version[strings.Index(version, ":")+1:]
	if i := strings.LastIndexByte(version, '-'); i >= 0 {
		version = version[:i]
	}
	return version
}
