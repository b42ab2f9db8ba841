package devices

import "gatehouse/devices/frame"

// gyAsk makes a GY-MCU90614 send continuously. It is needed because a module that was
// left in query mode starts in query mode, and forgets it when its supply fails.
var gyAsk = []byte{0xA5, 0x45, 0xEA}

func newGYMCU90614(ports Ports, s Settings) (Sensor, error) {
	return newStream("gy-mcu90614", ports, s, 9600, gyAsk, frame.GYMCU90614)
}

func newRDM6300(ports Ports, s Settings) (Sensor, error) {
	return newStream("rdm6300", ports, s, 9600, nil, frame.RDM6300)
}

func newQRScanner(ports Ports, s Settings) (Sensor, error) {
	return newStream("qr-scanner", ports, s, 9600, nil, frame.NewScanner().Frame)
}
