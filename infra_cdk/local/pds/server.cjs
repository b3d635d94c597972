// A real Bluesky PDS with its own directory of identities, on loopback: `server.cjs <folder> <port> [<admin password>]`.
// What they hold and their keys are kept in the folder. Port 0 takes a free one, which is printed as a line of JSON when
// both listen.
const http = require("node:http");
const crypto = require("node:crypto");
const fs = require("node:fs");

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

// The directory knows no database but PostgreSQL and its memory, so what it was told is told to it again at each start.
async function remembering(file) {
  const memory = plc.Database.mock();
  const add = memory.validateAndAddOp.bind(memory);
  const told = fs.existsSync(file) ? fs.readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
  for (const line of told) await add(...JSON.parse(line));
  fs.writeFileSync(file, told.map((line) => `${line}\n`).join("")); // without a last line that was not written whole
  memory.validateAndAddOp = async (did, operation) => {
    await add(did, operation);
    fs.appendFileSync(file, `${JSON.stringify([did, operation])}\n`);
  };
  return memory;
}

// Without the same keys its accounts would be signed out by a restart, and not be ours to change.
async function keys(file) {
  if (!fs.existsSync(file)) {
    const rotation = await Secp256k1Keypair.create({ exportable: true });
    const made = {
      jwtSecret: crypto.randomBytes(16).toString("hex"),
      plcRotationKeyK256PrivateKeyHex: Buffer.from(await rotation.export()).toString("hex"),
      adminPassword: crypto.randomBytes(16).toString("hex"),
    };
    fs.writeFileSync(`${file}.new`, JSON.stringify(made), { mode: 0o600 });
    fs.renameSync(`${file}.new`, file);
  }
  return JSON.parse(fs.readFileSync(file, "utf8"));
}

async function main() {
  const [folder, wanted, adminPassword] = process.argv.slice(2);
  const directoryPort = await free();
  const directory = plc.PlcServer.create({ db: await remembering(`${folder}/directory.jsonl`), port: directoryPort });
  await directory.start();
  const port = Number(wanted) || (await free());
  const kept = await keys(`${folder}/keys.json`);
  const env = {
    ...kept,
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
    adminPassword: adminPassword ?? kept.adminPassword,
    crawlers: [],
  };
  const pds = await PDS.create(envToCfg(env), envToSecrets(env));
  await pds.start();
  console.log(JSON.stringify({ port, directoryPort }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
