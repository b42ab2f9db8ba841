package modbus

import (
	"bytes"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/gateway/fact"
)

func TestAServerThatClosesAfterEachAnswer(t *testing.T) {
	p := playSlave(t, func(conn net.Conn, request []byte) error {
		_, _ = conn.Write(holding(request))
		return io.EOF
	})
	out := listen(t, p.config(total, tank, level))
	expect(t, out, map[string]func(output) bool{"values": times(3, all)})
	if p.accepts.Load() < 6 {
		t.Errorf("%d connections", p.accepts.Load())
	}
}

func TestAServerThatHangsUpBeforeTheAnswerIsAskedAgainAtOnce(t *testing.T) {
	asked := new(atomic.Int32)
	p := playSlave(t, func(conn net.Conn, request []byte) error {
		if asked.Add(1)%3 != 0 { // twice of three times
			return io.EOF
		}
		_, err := conn.Write(holding(request))
		return err
	})
	cfg := p.config(total, tank, level)
	cfg.Every = time.Minute
	expect(t, listen(t, cfg), map[string]func(output) bool{"values": all})
}

func TestAServerThatAlwaysHangsUpIsReported(t *testing.T) {
	p := playSlave(t, func(net.Conn, []byte) error { return io.EOF })
	cfg := p.config(total)
	cfg.Every = time.Minute
	expect(t, listen(t, cfg), map[string]func(output) bool{"why": refusal("fogger-1", "hung up before it answered")})
	if p.accepts.Load() != 1+hangUps {
		t.Errorf("asked %d times", p.accepts.Load())
	}
}

func TestWhatWasReadBeforeAUnitFellSilentCounts(t *testing.T) {
	p := playSlave(t, func(conn net.Conn, request []byte) error {
		if request[3] == 9 {
			return nil
		}
		_, err := conn.Write(holding(request))
		return err
	})
	expect(t, listen(t, p.config(total, tank, level)), map[string]func(output) bool{
		"the first":  func(w output) bool { return near(w.s.Tank, 5) && w.s.Battery == nil },
		"the second": refusal("timed out after 100ms", "address 9", "level", "nothing came"),
	})
}

// A unit that is later than the timeout is never taken for one that answers another
// request, and the report says how long it takes.
func TestALateAnswerIsNotTakenForTheNext(t *testing.T) {
	p := playSlave(t, func(conn net.Conn, request []byte) error {
		time.Sleep(150 * time.Millisecond)
		_, err := conn.Write(holding(request))
		return err
	})
	cfg := p.config(tank, level)
	out := listen(t, cfg)
	expect(t, out, map[string]func(output) bool{"the advice": func(w output) bool {
		if w.s.Tank != nil && *w.s.Tank != 5 || w.s.Battery != nil && *w.s.Battery != 9 {
			t.Errorf("a late answer counts: %+v", w.s)
		}
		return refusal("timed out after 100ms", "an earlier answer came after 1", "set timeout: 1s")(w)
	}})
	cfg.Timeout = 3 * time.Second
	expect(t, listen(t, cfg), map[string]func(output) bool{
		"with a longer timeout": func(w output) bool { return near(w.s.Tank, 5) && near(w.s.Battery, 9) },
	})
}

func TestABusyUnitIsAskedAgain(t *testing.T) {
	for _, code := range []byte{5, 6, 11} {
		asked := new(atomic.Int32)
		p := playSlave(t, func(conn net.Conn, request []byte) error {
			if asked.Add(1) <= busyTries {
				_, err := conn.Write(framed(1, 0x83, code))
				return err
			}
			_, err := conn.Write(holding(request))
			return err
		})
		cfg := p.config(total)
		cfg.Every = time.Minute
		expect(t, listen(t, cfg), map[string]func(output) bool{
			"a value": func(w output) bool { return w.s.Volume != nil },
		})
	}
}

func TestAUnitThatIsAlwaysBusyIsReported(t *testing.T) {
	for code, text := range map[byte]string{6: "refuses function 3, address 3 (0x0003), 2 of holding, total: " +
		"exception 06, busy", 11: "the unit does not answer the gateway"} {
		p := playSlave(t, func(conn net.Conn, _ []byte) error {
			_, err := conn.Write(framed(1, 0x83, code))
			return err
		})
		expect(t, listen(t, p.config(total)), map[string]func(output) bool{"why": refusal(text)})
	}
}

// A unit refuses a request that holds an address that it does not have. What it
// does have is read all the same, and the message names the value.
func TestAnIllegalAddressInTheMiddleOfABlock(t *testing.T) {
	six := Value{Name: "absent", Table: "holding", Address: 6, Type: "uint16", Unit: "%", Means: fact.FieldBattery}
	p := playSlave(t, func(conn net.Conn, request []byte) error {
		answer := holding(request)
		if first, n := request[3], request[5]; first <= 6 && first+n > 6 {
			answer = framed(1, 0x83, byte(illegalAddress))
		}
		_, err := conn.Write(answer)
		return err
	})
	expect(t, listen(t, p.config(total, tank, six)), map[string]func(output) bool{
		"the others": func(w output) bool { return near(w.s.Tank, 5) && w.s.Volume != nil && w.s.Battery == nil },
		"which":      refusal("refuses function 3, address 6", "absent", "illegal data address"),
	})
}

func TestAUnitThatReadsFewRegistersAtOnce(t *testing.T) {
	most := new(atomic.Int32)
	p := playSlave(t, func(conn net.Conn, request []byte) error {
		answer := holding(request)
		if most.Store(max(most.Load(), int32(request[5]))); request[5] > 2 {
			answer = framed(1, 0x83, byte(illegalValue))
		}
		_, err := conn.Write(answer)
		return err
	})
	cfg := p.config(total, tank, level)
	expect(t, listen(t, cfg), map[string]func(output) bool{"all": all})
	most.Store(0)
	cfg.Units[0].Map.MaxRegisters = 2
	expect(t, listen(t, cfg), map[string]func(output) bool{"all": all})
	if most.Load() > 2 {
		t.Errorf("%d registers were asked for", most.Load())
	}
}

func TestAnEchoIsNamed(t *testing.T) {
	p := playSlave(t, func(conn net.Conn, request []byte) error { _, err := conn.Write(request); return err })
	expect(t, listen(t, p.config(total)), map[string]func(output) bool{
		"its name": refusal("timed out after 100ms", "the adapter echoes"),
	})
}

func TestAnAnswerThatWasGarbledOnceIsAskedForAgain(t *testing.T) {
	asked := new(atomic.Int32)
	p := playSlave(t, func(conn net.Conn, request []byte) error {
		answer := holding(request)
		if asked.Add(1) == 1 {
			answer[4] ^= 1
		}
		_, err := conn.Write(answer)
		return err
	})
	cfg := p.config(total)
	cfg.Every = time.Minute
	expect(
		t,
		listen(t, cfg),
		map[string]func(output) bool{"a value": func(w output) bool { return w.s.Volume != nil }},
	)
}

func TestTheOtherFramingIsNamed(t *testing.T) {
	rtuSpoken := playSlave(t, func(conn net.Conn, request []byte) error {
		_, err := conn.Write(holding(request[6:]))
		return err
	})
	cfg := rtuSpoken.config(total)
	cfg.Framing = ""
	expect(t, listen(t, cfg), map[string]func(output) bool{"rtu": refusal("set framing: rtu")})
	tcpSpoken := playSlave(t, func(conn net.Conn, _ []byte) error {
		_, err := conn.Write(onTCP(1, 1, 3, 4, 0, 1, 0, 2))
		return err
	})
	expect(
		t,
		listen(t, tcpSpoken.config(total)),
		map[string]func(output) bool{"tcp": refusal("leave framing: rtu out")},
	)
}

func TestAUnitNumberThatOnlyTCPHas(t *testing.T) {
	for _, unit := range []byte{0, 255} {
		p := playSlave(t, func(conn net.Conn, request []byte) error {
			rtu := holding(request[6:])
			_, err := conn.Write(onTCP(uint16(request[1]), request[6], rtu[1:len(rtu)-2]...))
			return err
		})
		cfg := p.config(total)
		cfg.Framing, cfg.Units[0].Unit = "", unit
		expect(
			t,
			listen(t, cfg),
			map[string]func(output) bool{"a value": func(w output) bool { return w.s.Volume != nil }},
		)
	}
}

func TestNoValueIsSaidOnce(t *testing.T) {
	p := playSlave(t, func(conn net.Conn, request []byte) error {
		_, err := conn.Write(
			framed(1, append([]byte{3, 2 * request[5]}, bytes.Repeat([]byte{0xFF}, 2*int(request[5]))...)...),
		)
		return err
	})
	cfg := p.config(total)
	out := listen(t, cfg)
	expect(
		t,
		out,
		map[string]func(output) bool{"why": refusal("total has no value now: the unit answers [[FFFF FFFF]]")},
	)
	time.Sleep(4 * cfg.Every)
	if len(out) > 0 {
		t.Errorf("said again: %v", (<-out).err)
	}
}
