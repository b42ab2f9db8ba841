// Publishes one message with MQTT.js: host port version topic payload. It ends with 0
// when the message was acknowledged or the broker has ended the connection.
const mqtt = require("mqtt");
const [host, port, version, topic, payload] = process.argv.slice(2);
const client = mqtt.connect({
  host, port: Number(port), protocolVersion: Number(version), reconnectPeriod: 0, clientId: "pump 1.js " + process.pid,
  protocolId: version === "3" ? "MQIsdp" : "MQTT",
});
client.on("connect", () => client.publish(topic, payload, { qos: 1 }, () => client.end()));
client.on("error", () => client.end());
client.on("close", () => process.exit(0));
setTimeout(() => process.exit(1), 10000);
