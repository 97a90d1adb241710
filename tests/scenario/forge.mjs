// SPDX-License-Identifier: MIT
// Makes keys and JWTs, good and forged, for the scenarios of --jwt-keys: into the folder that it is
// told, keys.json, key.pem, and a file for each token.  Only Node's own crypto is used.
import { createHmac, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { writeFileSync } from "node:fs";

const [, , folder, elsewhere] = process.argv;
const now = Math.floor(Date.now() / 1000);
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const secret = Buffer.alloc(32, 7);

const put = (name, text) => writeFileSync(`${folder}/${name}`, text, { mode: 0o600 });
const part = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const jwk = (key, more) => ({ ...key.export({ format: "jwk" }), ...more });

/** RSA with PKCS 1, ECDSA as r and s, HMAC, or nothing. */
const signers = {
  RS256: (input, key = rsa.privateKey) => sign("sha256", input, key),
  ES256: (input, key = ec.privateKey) => sign("sha256", input, { key, dsaEncoding: "ieee-p1363" }),
  RS512: (input, key = rsa.privateKey) => sign("sha512", input, key),
  HS512: (input, key = secret) => createHmac("sha512", key).update(input).digest(),
  HS256: (input, key = secret) => createHmac("sha256", key).update(input).digest(),
  none: () => Buffer.alloc(0),
};

/** A token by the algorithm `by`, whatever its header says; header and claims are values, or text. */
function token(header, claims, by = header.alg, key = undefined) {
  const input = `${part(header)}.${part(claims)}`;
  return `${input}.${signers[by](Buffer.from(input), key).toString("base64url")}`;
}

const head = { alg: "RS256", kid: "r" };
const all = { publish: "**", read: "**", status: true };
const good = { sub: "jay", aud: "here", iss: "us", exp: now + 3600, sse: all };
const public_ = (key) => createPublicKey(key).export({ type: "spki", format: "pem" });
const without = (name) => ({ ...good, [name]: undefined });
const deep = `${"[".repeat(100000)}${"]".repeat(100000)}`;
const text = JSON.stringify(good);

put("keys.json", JSON.stringify({ keys: [
  jwk(rsa.publicKey, { kid: "r", alg: "RS256", use: "sig" }),
  jwk(ec.publicKey, { kid: "e" }),
  { kty: "oct", k: secret.toString("base64url"), kid: "h", alg: "HS256" },
] }));
put("fewer.json", JSON.stringify({ keys: [jwk(ec.publicKey, { kid: "e" })] }));
put("key.pem", public_(rsa.privateKey));

const tokens = {
  // what is right
  "good.rsa": token(head, good),
  "good.ec": token({ alg: "ES256", kid: "e" }, good),
  "good.hmac": token({ alg: "HS256", kid: "h" }, good),
  "good.aud": token(head, { ...good, aud: ["there", "here"] }),
  "good.nokid": token({ alg: "RS256" }, good),
  // grants of another kind
  "few.none": token(head, { ...good, sse: undefined }),
  "few.read": token(head, { ...good, sse: { read: ["chat/*"] } }),
  "few.mercure": token(head, { ...good, sse: undefined, mercure: { subscribe: ["chat/{room}"] } }),
  "few.as": token(head, { ...good, sse: { ...all, publish: "chat/a", read: "chat/a", status: false, as: "Jay" } }),
  // what is not
  "bad.expired": token(head, { ...good, exp: now - 3600 }),
  "bad.skew": token(head, { ...good, exp: now - 90 }),
  "bad.noexp": token(head, without("exp")),
  "bad.exptext": token(head, { ...good, exp: String(now + 3600) }),
  "bad.expnegative": token(head, text.replace(/"exp":\d+/, '"exp":-1')),
  "bad.notyet": token(head, { ...good, nbf: now + 3600 }),
  "bad.audience": token(head, { ...good, aud: "there" }),
  "bad.audiences": token(head, { ...good, aud: ["there", "elsewhere"] }),
  "bad.noaudience": token(head, without("aud")),
  "bad.issuer": token(head, { ...good, iss: "them" }),
  "bad.noissuer": token(head, without("iss")),
  "bad.grants": token(head, { ...good, sse: { read: "**", write: "**" } }),
  "bad.pattern": token(head, { ...good, sse: { read: ["a*"] } }),
  "bad.none": token({ alg: "none" }, good, "none"),
  "bad.nonekid": token({ alg: "none", kid: "r" }, good, "none"),
  "bad.None": token({ alg: "nOnE", kid: "r" }, good, "none"),
  "bad.nosignature": token(head, good, "none"),
  "bad.noalg": token({ kid: "r" }, good, "RS256"),
  "bad.alg": token({ ...head, alg: ["RS256"] }, good, "RS256"),
  "bad.hmacpem": token({ alg: "HS256", kid: "r" }, good, "HS256", public_(rsa.privateKey)),
  "bad.hmacpemnokid": token({ alg: "HS256" }, good, "HS256", public_(rsa.privateKey)),
  "bad.hmacder": token({ alg: "HS256", kid: "r" }, good, "HS256", createPublicKey(rsa.privateKey).export({ type: "spki", format: "der" })),
  "bad.hmacmodulus": token({ alg: "HS256", kid: "r" }, good, "HS256", Buffer.from(jwk(rsa.publicKey).n, "base64url")),
  "bad.hmacempty": token({ alg: "HS256", kid: "h" }, good, "HS256", ""),
  "bad.hmaczero": token({ alg: "HS256", kid: "h" }, good, "HS256", Buffer.alloc(32)),
  "bad.key": token(head, good, "RS256", other.privateKey),
  "bad.otheralg": token({ alg: "RS512", kid: "r" }, good, "RS256"),
  "bad.algofkey": token({ alg: "RS512", kid: "r" }, good),
  "bad.hmac512": token({ alg: "HS512", kid: "h" }, good),
  "bad.mixed": token({ alg: "ES256", kid: "r" }, good, "RS256"),
  "bad.kid": token({ ...head, kid: "e" }, good),
  "bad.kidunknown": token({ ...head, kid: "x" }, good),
  "bad.kidpath": token({ alg: "HS256", kid: "../../../../dev/null" }, good, "HS256", ""),
  "bad.kidfile": token({ alg: "HS256", kid: `${folder}/key.pem` }, good, "HS256", public_(rsa.privateKey)),
  "bad.kidsql": token({ alg: "HS256", kid: "x' UNION SELECT 'secret' -- " }, good, "HS256", "secret"),
  "bad.kidurl": token({ alg: "RS256", kid: elsewhere }, good, "RS256", other.privateKey),
  "bad.kidobject": token({ ...head, kid: { r: 1 } }, good),
  "bad.jwk": token({ alg: "RS256", jwk: jwk(other.publicKey) }, good, "RS256", other.privateKey),
  "bad.jwkkid": token({ ...head, jwk: jwk(other.publicKey, { kid: "r" }) }, good, "RS256", other.privateKey),
  "bad.jku": token({ ...head, jku: `${elsewhere}/keys` }, good, "RS256", other.privateKey),
  "bad.x5u": token({ ...head, x5u: `${elsewhere}/chain` }, good, "RS256", other.privateKey),
  "bad.x5c": token({ ...head, x5c: [public_(other.privateKey).split("\n").slice(1, -2).join("")] }, good, "RS256", other.privateKey),
  "bad.crit": token({ ...head, crit: ["exp"] }, good),
  "bad.b64": token({ ...head, b64: false, crit: ["b64"] }, good),
  "bad.twoexp": token(head, text.replace('"exp"', '"exp":1,"exp"')),
  "bad.twoaud": token(head, text.replace('"aud"', '"aud":"there","\\u0061ud"')),
  "bad.twosse": token(head, text.replace('"sse"', '"sse":{},"sse"')),
  "bad.twoalg": token('{"alg":"none","alg":"RS256","kid":"r"}', good, "RS256"),
  "bad.deep": token(head, text.replace("{", `{"x":${deep.slice(98000, 102000)},`)),
  "bad.deephead": token(`{"alg":"RS256","kid":"r","x":${deep.slice(98000, 102000)}}`, good, "RS256"),
  "bad.array": token(head, [good]),
  "bad.text": token(head, "jay"),
  "bad.comma": token(head, text.replace("{", "{,")),
  "bad.bytes": token(head, Buffer.from([0x7b, 0xff, 0x7d]).toString("latin1")),
  "bad.nul": token(head, text.replace('"jay"', '"jay\\u0000"')),
};
const [h, c, s] = tokens["good.rsa"].split(".");
/** The numbers of a signature by ECDSA in more bytes than they take. */
const lengthened = () => {
  const [head, claims, signature] = tokens["good.ec"].split(".");
  const numbers = Buffer.from(signature, "base64url"), zero = Buffer.alloc(1);
  return `${head}.${claims}.${Buffer.concat([zero, numbers.subarray(0, 32), zero, numbers.subarray(32)]).toString("base64url")}`;
};
Object.assign(tokens, {
  "bad.twoparts": `${h}.${c}`,
  "bad.fourparts": `${h}.${c}.${s}.${s}`,
  "bad.fiveparts": `${h}.${c}.${s}.${c}.${s}`,
  "bad.emptyhead": `.${c}.${s}`,
  "bad.padded": `${h}.${c}.${s}==`,
  "bad.space": `${h}.${c}. ${s}`,
  "bad.lengthened": lengthened(),
  "bad.swapped": `${c}.${h}.${s}`,
  "bad.lastbit": `${h}.${c}.${s.slice(0, -1)}${String.fromCharCode(s.charCodeAt(s.length - 1) ^ 1)}`,
  "bad.claims": `${h}.${part({ ...good, sub: "root" })}.${s}`,
  "bad.otherhead": `${part({ ...head, kid: "e" })}.${c}.${s}`,
  "bad.cut": `${h}.${c}.${s.slice(0, 100)}`,
  "bad.long": `${h}.${c}.${"A".repeat(7000)}`,
  "bad.dots": ".".repeat(2000),
});
for (const [name, value] of Object.entries(tokens)) put(name, value);
