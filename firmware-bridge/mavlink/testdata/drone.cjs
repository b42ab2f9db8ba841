// A spraying drone by node-mavlink: drone.cjs HOST:PORT [v1|packed|signed KEYHEX].
const dgram = require("node:dgram");
const { MavLinkProtocolV1, MavLinkProtocolV2, minimal, common } = require("node-mavlink");

const [host, port] = process.argv[2].split(":");
const how = process.argv[3] ?? "plain";
const line = dgram.createSocket("udp4");
const key = Buffer.from(process.argv[4] ?? "", "hex");
const signs = how === "signed" ? MavLinkProtocolV2.IFLAG_SIGNED : 0;
const protocol = how === "v1" ? new MavLinkProtocolV1(1, 1) : new MavLinkProtocolV2(1, 1, signs);
let seq = 0;

function frame(message) {
  const bytes = protocol.serialize(message, seq);
  seq = (seq + 1) % 256;
  return signs ? protocol.sign(bytes, 1, key) : bytes;
}

function fill(message, fields) {
  return Object.assign(message, fields);
}

setInterval(() => {
  const ms = Math.round(performance.now()) + 60000;
  const frames = [
    fill(new minimal.Heartbeat(), { type: 2, autopilot: 3, baseMode: 129, customMode: 3, systemStatus: 4 }),
    ...Array.from({ length: 20 }, () => fill(new common.Attitude(), { timeBootMs: ms, roll: 0.1 })),
    fill(new common.GlobalPositionInt(), {
      timeBootMs: ms, lat: 359000000, lon: 1151100000, alt: 60000, relativeAlt: 3500, vx: 300, vy: -400,
    }),
    fill(new common.ServoOutputRaw(), { timeUsec: ms * 1000, port: 0, servo1Raw: 1500, servo9Raw: 1700 }),
    fill(new common.BatteryStatus(), {
      id: 2, voltages: [1000, ...Array(9).fill(65535)], currentBattery: 12000, currentConsumed: 3250,
      batteryRemaining: -1,
    }),
  ].map(frame);
  for (const bytes of how === "packed" ? [Buffer.concat(frames)] : frames) {
    line.send(bytes, Number(port), host);
  }
}, 50);
