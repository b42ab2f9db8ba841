package modbus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse/devices/unheard"
	"gatehouse/firmware-bridge/runs"
)

// poll reads all values of a unit. It reports exceptions and implausible values
// to out and goes on; the error means that the unit did not answer. What was read
// before that counts.
func (b *Bus) poll(ctx context.Context, u *unit, out Out) (err error) {
	read := memory{}
	var came []byte // values of the answers
	answered := false
	for i := 0; i < len(u.blocks) && err == nil; i++ {
		if err := pause(ctx, rest); err != nil {
			return err
		}
		blk := u.blocks[i]
		values, failed := b.ask(ctx, blk.request(u.Unit.Unit))
		var e exception
		switch {
		case failed == nil:
			answered = true
			came = append(came, values...)
			read.store(blk, values)
		case errors.As(failed, &e) && e != noAnswer:
			answered = true
			if halves := blk.split(); halves != nil && (e == illegalAddress || e == illegalValue) {
				u.blocks = slices.Replace(u.blocks, i, i+1, halves...)
				i--
				continue
			}
			out(u.Machine, runs.Sample{}, fmt.Errorf("modbus unit %d of %s refuses %s",
				u.Unit.Unit, u.Machine, u.describe(blk, e)))
		default:
			err = fmt.Errorf("%s: %w", u.describe(blk, nil), failed)
		}
	}
	s, implausible := u.sample(read, out)
	switch {
	case !s.Empty():
		out(u.Machine, s, nil)
		fallthrough
	case answered && implausible == "":
		u.heard.Understood()
		u.advice = ""
	case implausible != "":
		b.distrust(u, came, implausible, out)
	}
	return err
}

// distrust reports a unit of which no value has been plausible for a while.
func (b *Bus) distrust(u *unit, came []byte, advice string, out Out) {
	now := time.Since(b.began)
	u.heard.Bytes(now, came)
	if report, ok := u.heard.Check(now); ok {
		u.advice = cmp.Or(u.advice, "no value is plausible: "+advice)
		out(u.Machine, runs.Sample{}, b.name(u, &unheard.Error{Report: report, Try: u.advice}))
	}
}

// sample makes a sample of what was read, and reports to out what is not plausible
// and which values the unit does not have. implausible is why the first value that
// is refused is; empty: none is.
func (u *unit) sample(read memory, out Out) (s runs.Sample, implausible string) {
	for _, v := range u.Map.Values {
		regs, ok := read.of(v)
		if !ok {
			continue
		}
		err := v.set(&s, regs)
		absent := errors.Is(err, errNoValue)
		if absent && u.empty[v.Name] {
			continue
		}
		u.empty[v.Name] = absent
		switch {
		case absent:
			err = fmt.Errorf("%s has no value now: the unit answers %04X (sentinels: none takes that for a number)",
				v.Name, regs)
		case err != nil:
			implausible = cmp.Or(implausible, err.Error())
		}
		if err != nil {
			out(u.Machine, runs.Sample{}, fmt.Errorf("modbus unit %d of %s: %w", u.Unit.Unit, u.Machine, err))
		}
	}
	return s, implausible
}

// describe says which request failed, and how unless err is nil, for whoever
// corrects the map.
func (u *unit) describe(b block, err error) string {
	text := fmt.Sprintf("function %d, address %d (0x%04X), %d of %s",
		functions[b.table], b.address, b.address, b.count, b.table)
	if len(b.cells) == 1 {
		text += ", " + u.Map.Values[b.cells[0].value].Name
	}
	if err != nil {
		text += ": " + err.Error()
	}
	return text
}
