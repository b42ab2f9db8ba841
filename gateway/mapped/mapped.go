// Package mapped gives back the pages of the program's own file that only its start needed.
package mapped

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Release tells the kernel that this process does without the pages of its program's file:
// its instructions and constants, a third of which only a start touches. They stay
// in the kernel's cache of files for as long as there is room, and what the process touches
// again is mapped again from there, in microseconds. Without it they are counted as the
// process's own, and are the last that the kernel takes when memory is short. It returns how
// many bytes were mapped before. Mappings that hold anything but the file's bytes stay.
func Release() (int64, error) {
	path, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return 0, fmt.Errorf("find the program's file: %w", err)
	}
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return 0, fmt.Errorf("read what memory the process has: %w", err)
	}
	defer f.Close()
	ranges, err := clean(f, path)
	if err != nil {
		return 0, fmt.Errorf("read what memory the process has: %w", err)
	}
	var released int64
	for _, r := range ranges {
		if _, _, fault := unix.Syscall(unix.SYS_MADVISE, r.from, r.to-r.from, unix.MADV_DONTNEED); fault != 0 {
			return released, fmt.Errorf("release pages of the program's file: %w", fault)
		}
		released += r.resident
	}
	return released, nil
}

// span is a mapping of the program's file, in addresses.
type span struct {
	from, to uintptr
	resident int64 // bytes
}

// clean returns the mappings of a file that nobody can have written to, of a text as
// /proc/PID/smaps has it.
func clean(smaps io.Reader, path string) (all []span, err error) {
	var own bool // the lines are of a mapping in question
	for lines := bufio.NewScanner(smaps); ; {
		if !lines.Scan() {
			return all, lines.Err()
		}
		fields := strings.Fields(lines.Text())
		if len(fields) >= 5 && !strings.HasSuffix(fields[0], ":") {
			var r span
			if r.from, r.to, err = addresses(fields[0]); err != nil {
				return nil, err
			}
			own = strings.Join(fields[5:], " ") == path && fields[1][1] == '-'
			if own {
				all = append(all, r)
			}
			continue
		}
		if !own || len(fields) != 3 || fields[2] != "kB" {
			continue
		}
		kib, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", lines.Text(), err)
		}
		switch fields[0] {
		case "Rss:":
			all[len(all)-1].resident = kib << 10
		case "Anonymous:":
			if kib > 0 { // it was written to: these pages are of no file
				all, own = all[:len(all)-1], false
			}
		}
	}
}

// addresses reads from-to in hexadecimal.
func addresses(text string) (from, to uintptr, err error) {
	a, b, _ := strings.Cut(text, "-")
	x, err := strconv.ParseUint(a, 16, 64)
	if err != nil {
		return 0, 0, fmt.Errorf("the addresses %q: %w", text, err)
	}
	y, err := strconv.ParseUint(b, 16, 64)
	if err != nil || y < x {
		return 0, 0, fmt.Errorf("the addresses %q are no range", text)
	}
	return uintptr(x), uintptr(y), nil
}
