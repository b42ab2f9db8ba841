package devices

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is the purpose of a device.
type Kind string

// The kinds of devices at a gate.
const (
	KindThermometer Kind = "thermometer"
	KindCardReader  Kind = "card-reader"
	KindScanner     Kind = "scanner"
	KindOutputs     Kind = "outputs"
	KindDisplay     Kind = "display"
)

// Settings are one device's settings from the configuration file.
type Settings struct {
	Port      string            // serial device or I²C bus
	Baud      int               // 0: the model's default
	Address   uint16            // I²C address; 0: the model's default
	Pins      map[string]string // role to GPIO line, for outputs
	ActiveLow []string          // roles that are on when their line is low
}

// Model is one row of the catalogue: everything about a device that is not in
// its driver.
type Model struct {
	Name   string // as in configuration files
	Title  string
	Kind   Kind
	Bus    string // UART, I²C, GPIO
	Baud   int    // of a UART
	Rate   string // how often it sends, in words
	Wiring string
	Source string
	// Example is what the device sends, in hex (on I²C: its answers to the
	// reads of ambient and object), and Reading is what the driver makes of it.
	Example string
	Reading string
	Sensor  func(Ports, Settings) (Sensor, error) // of a thermometer, reader or scanner
	Output  func(Ports, Settings) (Output, error) // of outputs
	Display func(Ports, Settings) (Display, error)
}

// Catalog returns the models that agents can drive.
func Catalog() []Model { return slices.Concat(thermometers(), readers(), outputs(), displays()) }

func thermometers() []Model {
	return []Model{
		{
			Name:    "gy-mcu90614",
			Title:   "GY-MCU90614 infrared thermometer module (MLX90614 behind a UART)",
			Kind:    KindThermometer,
			Bus:     "UART",
			Baud:    9600,
			Rate:    "14 samples a second",
			Wiring:  "VCC 3.3–5 V, GND, module TX to RX, module RX to TX; PS open (UART mode).",
			Source:  "GY-MCU90614 data sheet; Melexis 3901090614",
			Example: "5A 5A 45 04 0E 42 0A 28 7F",
			Reading: "object 36.50 °C, ambient 26.00 °C",
			Sensor:  newGYMCU90614,
		},
		{
			Name:  "mlx90614",
			Title: "Melexis MLX90614 infrared thermometer",
			Kind:  KindThermometer,
			Bus:   "I²C",
			Rate:  "10 samples a second",
			Wiring: "VDD 3.3 V (Bxx) or 5 V (Axx), SDA and SCL with 4.7 kΩ pull-ups, bus at 100 kHz at most; " +
				"address 0x5A.",
			Source:  "Melexis 3901090614, 390119061402",
			Example: "6F 3A 80 7A 3C 92",
			Reading: "object 36.49 °C, ambient 26.03 °C",
			Sensor:  newMLX90614,
		},
	}
}

func readers() []Model {
	return []Model{
		{
			Name:    "rdm6300",
			Title:   "RDM6300 reader for 125 kHz EM4100 cards, also ID-12LA and ID-20LA",
			Kind:    KindCardReader,
			Bus:     "UART",
			Baud:    9600,
			Rate:    "every 65 ms while a card is near",
			Wiring:  "5 V, GND, TX to RX through a divider (its TX has 5 V); coil on ANT1 and ANT2.",
			Source:  "RDM6300 data sheet",
			Example: "02 36 32 45 33 30 38 36 43 45 44 30 38 03",
			Reading: "card 62E3086CED",
			Sensor:  newRDM6300,
		},
		{
			Name:  "qr-scanner",
			Title: "Serial QR and barcode scanner (GM65, GM72 and the like)",
			Kind:  KindScanner,
			Bus:   "UART",
			Baud:  9600,
			Rate:  "a code at a time, ended by a pause of 50 ms",
			Wiring: "USB-CDC, or 3.3 V UART; suffix CR, LF, TAB, ETX or none, by the scanner's set-up codes; " +
				"AIM and ECI prefixes are removed; text in UTF-8 or GB18030. " +
				"A code that comes again within 3 s is one tap.",
			Source:  "Grow GM65 and GM72 manuals",
			Example: "56 49 53 49 54 2D 37 0D 0A",
			Reading: "code VISIT-7",
			Sensor:  newQRScanner,
		},
	}
}

func outputs() []Model {
	return []Model{
		{
			Name:   "gpio-outputs",
			Title:  "Barrier, red, amber and green lamp, buzzer on GPIO lines",
			Kind:   KindOutputs,
			Bus:    "GPIO",
			Rate:   "barrier pulse 0.7 s, at most every 2 s",
			Wiring: "One relay or transistor per line; the barrier's dry contact is open at rest (fail-secure).",
			Source: "wiring of the gate",
			Output: newGPIOOutputs,
		},
	}
}

func displays() []Model {
	return []Model{
		{
			Name:  "ssd1306",
			Title: "SSD1306 display of 128x64 pixels (0.96 inch), for a post without a screen",
			Kind:  KindDisplay,
			Bus:   "I²C",
			Rate:  "a new picture within a tenth of a second of a verdict",
			Wiring: "VCC 3.3–5 V, GND, SDA, SCL; address 0x3C (0x3D: write address: 0x3d). A bus of its own if there " +
				"is one: on that of an MLX90614, 100 kHz, a whole picture takes 0.1 s. " +
				"SH1106 displays (1.3 inch) look alike and are not supported.",
			Source:  "Solomon Systech SSD1306 rev 1.1",
			Display: newSSD1306,
		},
	}
}

// Find returns the row of the model called name.
func Find(name string) (Model, error) {
	var names []string
	for _, m := range Catalog() {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Model{}, fmt.Errorf("model %q is not in the catalogue; known are %s", name, strings.Join(names, ", "))
}

// Markdown returns the text of DEVICES.md for the given models.
func Markdown(models []Model) string {
	var b strings.Builder
	b.WriteString("# Devices\n\nThe models that an agent can drive, by the name its configuration uses.\n")
	for _, m := range models {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n| | |\n|---|---|\n| Kind | %s |\n| Bus | %s", m.Name, m.Title, m.Kind, m.Bus)
		if m.Baud != 0 {
			fmt.Fprintf(&b, ", %d baud 8N1", m.Baud)
		}
		fmt.Fprintf(&b, " |\n| Rate | %s |\n", m.Rate)
		fmt.Fprintf(&b, "| Wiring | %s |\n| Source | %s |\n", m.Wiring, m.Source)
		if m.Example != "" {
			fmt.Fprintf(&b, "| Example | `%s` is %s |\n", m.Example, m.Reading)
		}
	}
	return b.String()
}
