// Package lifecycle tests the packages on clean computers: they are installed, used, upgraded, rolled
// back and purged, and nothing is lost and nothing left. make install-test runs it, as root.
package lifecycle
