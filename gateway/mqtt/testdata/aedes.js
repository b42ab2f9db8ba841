// An Aedes broker at the port that is its argument.
const { Aedes } = require("aedes");
const net = require("node:net");

Aedes.createBroker().then((broker) => {
  net.createServer(broker.handle).listen(Number(process.argv[2]), "127.0.0.1");
});
