// A Modbus TCP slave written by others (npm: modbus-serial), as a peer of the bridge:
// a fogger's PLC that answers as unit 254 only. Usage: node slave.js PORT
const { ServerTCP } = require("modbus-serial");

const input = [420, 1, 57920, 805, 990, 2]; // flow, total 123456, tank, battery, fault
new ServerTCP(
  {
    getInputRegister: (address) => input[address],
    getCoil: (address) => address === 0,
    getDiscreteInput: (address) => address === 0,
  },
  { host: "127.0.0.1", port: Number(process.argv[2]), unitID: 254 },
);
