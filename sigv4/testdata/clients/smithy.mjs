// Signs requests with the signer of the AWS SDK for JavaScript v3 and sends them
// to $ENDPOINT.
import http from "node:http";
import { SignatureV4 } from "@smithy/signature-v4";
import sha from "@aws-crypto/sha256-js";

const endpoint = new URL(process.env.ENDPOINT);
const signer = new SignatureV4({
  service: "execute-api",
  region: "us-east-1",
  sha256: sha.Sha256,
  credentials: {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
    sessionToken: process.env.AWS_SESSION_TOKEN,
  },
});

const encode = (s) => encodeURIComponent(s).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase());

function send({ method, path, query, headers }, body) {
  const pairs = Object.entries(query ?? {}).flatMap(([k, v]) => [v].flat().map((one) => encode(k) + "=" + encode(one)));
  const target = path + (pairs.length ? "?" + pairs.join("&") : "");
  return new Promise((resolve, reject) => {
    const request = http.request({ host: endpoint.hostname, port: endpoint.port, method, path: target, headers }, (answer) => {
      answer.resume();
      answer.on("end", resolve);
    });
    request.on("error", reject);
    request.end(body);
  });
}

for (const target of JSON.parse(process.env.TARGETS)) {
  const [path, search = ""] = target.split("?");
  const query = {};
  for (const [key, value] of new URLSearchParams(search)) {
    query[key] = key in query ? [query[key], value].flat() : value;
  }
  for (const body of ["", '{"hello":"world"}']) {
    const request = { method: "POST", protocol: "http:", hostname: endpoint.hostname, path, query, body,
      headers: { host: endpoint.host, "content-type": "application/json" } };
    await send(await signer.sign(request), body);
    await send(await signer.presign(request, { expiresIn: 60 }), body);
  }
}
