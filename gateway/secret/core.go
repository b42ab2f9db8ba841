package secret

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// noCore is the limit with which the kernel writes no core file, and starts no program that
// would take one either: with 0 it still starts that (core(5), fs/coredump.c).
const noCore = 1

// NoCore has this process, and those that it starts, leave no core file when they crash: keys
// and lists of people would be in it. A limit that others have set lower stays. It is called
// once, when the program starts.
func NoCore() error {
	var now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &now); err != nil {
		return fmt.Errorf("read the limit of core files: %w", err)
	}
	limit := min(noCore, now.Max)
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		return fmt.Errorf("forbid core files: %w", err)
	}
	return nil
}
