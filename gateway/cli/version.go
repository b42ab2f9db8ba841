package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"gatehouse/gateway/version"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(c.OutOrStdout(), "gatehouse %s (%s, %s/%s)\n",
				version.String, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
