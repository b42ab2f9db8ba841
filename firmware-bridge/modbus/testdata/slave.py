"""A Modbus slave written by others (python3-pymodbus), as the peer of the bridge.

Usage: slave.py rtu DEVICE | slave.py tcp PORT
Unit 1 is a fogger's PLC, unit 2 a TUF-2000F, unit 3 has two registers only.
"""
import struct
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server import StartSerialServer, StartTcpServer
from pymodbus.transaction import ModbusRtuFramer


def words(fmt, value):
    b = struct.pack(fmt, value)
    return [int.from_bytes(b[i:i + 2], "big") for i in range(0, len(b), 2)]


def low_first(w):
    return w[::-1]


plc = ModbusSlaveContext(
    co=ModbusSequentialDataBlock(0, [1]), di=ModbusSequentialDataBlock(0, [1]),
    ir=ModbusSequentialDataBlock(0, [420] + words(">I", 123456) + [805, 990, 2]),
    hr=ModbusSequentialDataBlock(0, [0]), zero_mode=True)
tuf = ModbusSlaveContext(
    hr=ModbusSequentialDataBlock(0, low_first(words(">f", 0.252)) + [0] * 6 + low_first(words(">i", 7000000))), zero_mode=True)
small = ModbusSlaveContext(ir=ModbusSequentialDataBlock(0, [1, 2]), zero_mode=True)
context = ModbusServerContext(slaves={1: plc, 2: tuf, 3: small}, single=False)
if sys.argv[1] == "rtu":
    StartSerialServer(context=context, framer=ModbusRtuFramer, port=sys.argv[2], baudrate=9600, timeout=0.02, ignore_missing_slaves=True)
else:
    StartTcpServer(context=context, address=("127.0.0.1", int(sys.argv[2])), ignore_missing_slaves=True)
