// A real Bluesky PDS with its own directory of identities, both in memory or in a given folder, on loopback.
// It prints one line of JSON when both listen, and ends when its standard input does.
const http = require("node:http");
const crypto = require("node:crypto");

// Both listen on every interface of the machine unless told otherwise.
const listen = http.Server.prototype.listen;
http.Server.prototype.listen = function (port, ...rest) {
  return typeof port === "number" ? listen.call(this, port, "127.0.0.1", ...rest.filter((one) => typeof one === "function")) : listen.call(this, port, ...rest);
};

const { PDS, envToCfg, envToSecrets } = require("@atproto/pds");
const { Secp256k1Keypair } = require("@atproto/crypto");
const plc = require("@did-plc/server");

const free = () =>
  new Promise((resolve) => {
    const server = http.createServer().listen(0, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

async function main() {
  const folder = process.argv[2];
  const directoryPort = await free();
  const directory = plc.PlcServer.create({ db: plc.Database.mock(), port: directoryPort });
  await directory.start();
  const port = await free();
  const rotation = await Secp256k1Keypair.create({ exportable: true });
  const env = {
    port,
    hostname: "localhost",
    serviceHandleDomains: [".test"],
    devMode: true,
    dataDirectory: folder,
    blobstoreDiskLocation: `${folder}/blobs`,
    didPlcUrl: `http://127.0.0.1:${directoryPort}`,
    inviteRequired: false,
    rateLimitsEnabled: false,
    disableSsrfProtection: true,
    jwtSecret: crypto.randomBytes(16).toString("hex"),
    adminPassword: process.argv[3],
    plcRotationKeyK256PrivateKeyHex: Buffer.from(await rotation.export()).toString("hex"),
    crawlers: [],
  };
  const pds = await PDS.create(envToCfg(env), envToSecrets(env));
  await pds.start();
  console.log(JSON.stringify({ port, directoryPort }));
  process.stdin.resume();
  process.stdin.on("end", () => process.exit(0));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
