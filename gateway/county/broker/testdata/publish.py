# Publishes one message with Paho: host port version topic payload. It ends with 0 when
# the message was acknowledged or the broker has refused the connection.
import sys
import paho.mqtt.client as paho

host, port, version, topic, payload = sys.argv[1:]
ended = []
client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="python", protocol=int(version))
client.on_connect = lambda c, u, flags, reason, p: c.publish(topic, payload, qos=1) if reason == 0 else c.disconnect()
client.on_publish = lambda c, u, mid, reason, p: c.disconnect()
client.on_disconnect = lambda *a: ended.append(True)
client.connect(host, int(port))
for _ in range(100):
    if client.loop(0.1) != 0 or ended:
        sys.exit(0)
sys.exit(1)
