// What the functions of this folder have in common.
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

/** All 256 bytes, which no text holds. */
export const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));

/** What a compressed answer holds. */
export const squeezed = gzipSync("squeezed ".repeat(100));

/** Describes an upload. */
export const sum = (type, body) => ({
  type,
  length: body.length,
  sha256: createHash("sha256").update(body).digest("hex"),
});

/** The values of each name, always as lists. */
export const lists = (values) => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value].flat()]));

/** The cookies of a Cookie header. */
export const cookies = (header = "") => Object.fromEntries(header.split(/; */).filter(Boolean).map((one) => one.split("=")));

/** What the event says besides the request itself. */
export const told = ({ version, requestContext: c }) => ({
  format: version,
  account: c.accountId,
  api: c.apiId,
  stage: c.stage,
  route: c.routeKey ?? c.resourceId,
  requestId: c.requestId,
  method: c.http?.method ?? c.httpMethod,
  path: c.http?.path ?? c.path,
  protocol: c.http?.protocol ?? c.protocol,
  ip: c.http?.sourceIp ?? c.identity.sourceIp,
  userAgent: c.http?.userAgent ?? c.identity.userAgent,
  time: c.timeEpoch ?? c.requestTimeEpoch,
});
