// Package upgrades tests upgrades of a gate by the real program and the real dpkg in a clean
// root, with kills at every step.
package upgrades
