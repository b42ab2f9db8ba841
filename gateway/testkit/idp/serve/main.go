// Serve is a provider of identities for tests in a browser: whoever is sent to it has logged
// in as one person. It ends with its standard input.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"gatehouse/gateway/testkit/idp"
)

// bench is what the provider needs of a test.
type bench struct{ testing.TB }

func (bench) Helper()                  {}
func (bench) Cleanup(func())           {} // the process ends
func (bench) Context() context.Context { return context.Background() }
func (bench) Fatal(args ...any) {
	fmt.Fprintln(os.Stderr, args...)
	os.Exit(1)
}

func main() {
	address := flag.String("listen", "127.0.0.1:0", "address")
	redirect := flag.String("redirect", "", "the only address to which browsers are sent back")
	name := flag.String("name", "wang", "of who logs in")
	groups := flag.String("groups", "", "of who logs in, divided by commas")
	flag.Parse()
	p := idp.New(bench{}, *address, *redirect)
	p.Person = idp.Person{Subject: "subject of " + *name, Name: *name, Groups: strings.Split(*groups, ",")}
	p.Start()
	fmt.Println("serving " + p.Issuer)
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
