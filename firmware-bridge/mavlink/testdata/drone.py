"""A spraying drone by pymavlink: drone.py HOST:PORT [v1|packed|signed KEYHEX]."""
import os
import socket
import sys
import time

how = sys.argv[2] if len(sys.argv) > 2 else "plain"
if how != "v1":
    os.environ["MAVLINK20"] = "1"
from pymavlink.dialects.v10 import ardupilotmega as v10
from pymavlink.dialects.v20 import ardupilotmega as v20

host, port = sys.argv[1].rsplit(":", 1)
mavlink = v10 if how == "v1" else v20
line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


class Line:
    """Takes frames; sends each by itself, or all of a turn in one datagram."""

    held = b""

    def write(self, b):
        if how == "packed":
            self.held += bytes(b)
        else:
            line.sendto(bytes(b), (host, int(port)))

    def flush(self):
        if self.held:
            line.sendto(self.held, (host, int(port)))
            self.held = b""


out = Line()
drone = mavlink.MAVLink(out, srcSystem=1, srcComponent=1)
if how == "signed":
    drone.signing.secret_key = bytes.fromhex(sys.argv[3])
    drone.signing.sign_outgoing = True
    drone.signing.timestamp = int((time.time() - 1420070400) * 100000)
begun = time.time()
while True:
    ms = int((time.time() - begun) * 1000) + 60000
    drone.heartbeat_send(2, 3, 128 | 1, 3, 4)
    for _ in range(20):
        drone.attitude_send(ms, 0.1, 0, 0, 0, 0, 0)
    drone.global_position_int_send(ms, 359000000, 1151100000, 60000, 3500, 300, -400, 0, 0)
    extra = {} if how == "v1" else {"servo9_raw": 1700}
    drone.servo_output_raw_send(ms * 1000, 0, 1500, 1500, 1500, 1500, 1500, 1500, 1500, 1500, **extra)
    drone.battery_status_send(2, 0, 0, 32767, [1000] + [65535] * 9, 12000, 3250, -1, -1)
    out.flush()
    time.sleep(0.05)
