// Package version has the version of the build.
package version

// String is set by the linker: -X gatehouse/gateway/version.String=v1.2.3.
var String = "dev"
