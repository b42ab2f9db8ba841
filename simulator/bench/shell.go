package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"gatehouse/gateway/fact"
)

const help = `  36.6                     a person with a screening temperature of 36.6 °C
  card 62E3086CED          hold a card to the first reader
  card 62E3086CED 38.4     both
  code VISIT-7             hold a code to the scanner
  ambient 12               set the air temperature, °C
  unplug thermometer       unplug a device; plug thermometer plugs it in again
  fault broken             or frozen, garbage, allff, silent, brown-out, normal; fault off ends it
  help, quit
`

// RunShell reads commands for the hardware from in, a line each, until quit,
// the end of in or ctx is done. Prompts and errors go to out.
func RunShell(ctx context.Context, in io.Reader, out io.Writer, h *Hardware) error {
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
			quit, err := h.command(ctx, strings.Fields(line), out)
			if quit {
				return nil
			}
			if err != nil {
				fmt.Fprintln(out, err)
			}
		}
	}
}

func (h *Hardware) command(ctx context.Context, words []string, out io.Writer) (quit bool, err error) {
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
		err = h.commandTap(ctx, words)
	case "ambient":
		var t fact.Temp
		if t, err = celsius(arg); err == nil {
			h.SetAmbient(t)
		}
	case "unplug":
		err = h.Unplug(arg)
	case "plug":
		err = h.Plug(arg)
	case "fault":
		f := Fault(arg)
		switch f {
		case "off":
			f = FaultNone
		case FaultBroken, FaultFrozen, FaultGarbage, FaultAllFF, FaultSilent, FaultBrownOut,
			FaultNormal:
		default:
			return false, fmt.Errorf("fault %q: write broken, frozen, garbage, allff, silent, brown-out, normal or off",
				arg)
		}
		h.SetFault(f)
	default:
		t, bad := celsius(words[0])
		if bad != nil || len(words) > 1 {
			return false, fmt.Errorf("%q is not a command; help lists them", strings.Join(words, " "))
		}
		err = h.Present(ctx, Person{Screening: t})
	}
	return false, err
}

func (h *Hardware) commandTap(ctx context.Context, words []string) error {
	model := map[string]string{"card": "rdm6300", "code": "qr-scanner"}[words[0]]
	if len(words) < 2 || len(words) > 3 {
		return fmt.Errorf("usage: %s TEXT [TEMPERATURE]", words[0])
	}
	p := Person{Card: words[1]}
	for _, r := range h.spec.Readers {
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
		return h.Tap(ctx, p.Reader, p.Card)
	}
	return h.Present(ctx, p)
}

func celsius(s string) (fact.Temp, error) {
	t, err := fact.ParseTemp(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a temperature in °C such as 36.6", s)
	}
	return t, nil
}
