// SPDX-License-Identifier: MIT
// Stands before a server that speaks TLS, for clients that do not: what comes from each goes to the
// server through a session of its own, and the other way round.
//	usage: node tls_front.mjs TARGET_PORT
// It listens on a port of 127.0.0.1 that the system chooses, and writes it into the file front.port.
// NODE_EXTRA_CA_CERTS names the CA.
import { renameSync, writeFileSync } from "node:fs";
import net from "node:net";
import tls from "node:tls";

const [port] = process.argv.slice(2);

const server = net.createServer({ noDelay: true }, (plain) => {
  const secure = tls.connect({ port, host: "127.0.0.1", servername: "localhost" });
  // What has come is passed on before the end; where a side breaks, there is nothing to pass on.
  for (const [from, to] of [[plain, secure], [secure, plain]]) {
    from.pipe(to);
    from.on("error", () => to.destroy());
    from.on("close", () => to.end());
  }
});

server.listen(0, "127.0.0.1", 4096, () => {
  writeFileSync("front.new", String(server.address().port));
  renameSync("front.new", "front.port");
});
