package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"gatehouse/gateway/version"
)

func versionCommand() *cobra.Command {
	var out output
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if out.is(asJSON) {
				return document(c.OutOrStdout(), struct {
					Version string `json:"version"`
					Go      string `json:"go"`
					OS      string `json:"os"`
					Arch    string `json:"arch"`
				}{version.String, runtime.Version(), runtime.GOOS, runtime.GOARCH})
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "gatehouse %s (%s, %s/%s)\n",
				version.String, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
	out.add(c)
	return c
}
