package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"gatehouse/gateway/fact"
)

const help = `  36.6                     somebody whose screening temperature is 36.6 °C stands there
  card 62E3086CED          a card is held to the first reader
  card 62E3086CED 38.4     both
  code VISIT-7             a code is held to the scanner
  ambient 12               the air, °C
  unplug thermometer       pull a plug; plug thermometer puts it in again
  fault broken             or frozen, garbage, allff, silent; fault off mends it
  help, quit
`

// RunShell lets an engineer play the hardware: a line in, bytes out.
func RunShell(ctx context.Context, in io.Reader, out io.Writer, g *Gate) error {
	fmt.Fprint(out, help)
	lines := make(chan string)
	scan := bufio.NewScanner(in)
	go func() { // ends with the input, or with the process
		defer close(lines)
		for scan.Scan() {
			lines <- scan.Text()
		}
	}()
	for {
		fmt.Fprint(out, "> ")
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-lines:
			if !ok {
				return scan.Err()
			}
			quit, err := g.command(ctx, strings.Fields(line), out)
			if quit {
				return nil
			}
			if err != nil {
				fmt.Fprintln(out, err)
			}
		}
	}
}

func (g *Gate) command(ctx context.Context, words []string, out io.Writer) (quit bool, err error) {
	if len(words) == 0 {
		return false, nil
	}
	arg := ""
	if len(words) > 1 {
		arg = words[1]
	}
	switch words[0] {
	case "quit", "exit":
		return true, nil
	case "help":
		_, err = fmt.Fprint(out, help)
	case "card", "code":
		err = g.commandTap(ctx, words)
	case "ambient":
		var t fact.Temp
		if t, err = celsius(arg); err == nil {
			g.SetAmbient(t)
		}
	case "unplug":
		err = g.Unplug(arg)
	case "plug":
		err = g.Plug(arg)
	case "fault":
		f := Fault(arg)
		switch f {
		case "off":
			f = FaultNone
		case FaultBroken, FaultFrozen, FaultGarbage, FaultAllFF, FaultSilent:
		default:
			return false, fmt.Errorf("fault %q: write broken, frozen, garbage, allff, silent or off", arg)
		}
		g.SetFault(f)
	default:
		t, bad := celsius(words[0])
		if bad != nil || len(words) > 1 {
			return false, fmt.Errorf("%q is not understood; help lists what is", strings.Join(words, " "))
		}
		err = g.Present(ctx, Person{Screening: t})
	}
	return false, err
}

func (g *Gate) commandTap(ctx context.Context, words []string) error {
	model := map[string]string{"card": "rdm6300", "code": "qr-scanner"}[words[0]]
	if len(words) < 2 || len(words) > 3 {
		return fmt.Errorf("write %s, its text, and a temperature if you like", words[0])
	}
	p := Person{Card: words[1]}
	for _, r := range g.spec.Readers {
		if r.Model == model {
			p.Reader = r.Name
			break
		}
	}
	if p.Reader == "" {
		return fmt.Errorf("this bench has no %s", model)
	}
	if len(words) == 3 {
		var err error
		if p.Screening, err = celsius(words[2]); err != nil {
			return err
		}
	}
	if p.Screening == 0 {
		return g.Tap(ctx, p.Reader, p.Card)
	}
	return g.Present(ctx, p)
}

func celsius(s string) (fact.Temp, error) {
	t, err := fact.ParseTemp(s)
	if err != nil {
		return 0, fmt.Errorf("%q is no temperature in °C, such as 36.6", s)
	}
	return t, nil
}
