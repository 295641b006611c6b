// Node's test runner against a sandbox; nothing to install.
//
//     panelsms-sandbox serve &
//     PANELSMS_SANDBOX_URL=http://127.0.0.1:7670 node --test sms.test.mjs
//
// The tests talk to a session of their own, so that they disturb nobody who uses the same sandbox.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";

const server = process.env.PANELSMS_SANDBOX_URL ?? "http://127.0.0.1:7670";
const session = `${server}/s/node-${process.pid}`;

// -- the client: in your project this is an import ---------------------------------------------------------------

class SmsRefused extends Error {
  constructor(code) {
    super(`the API answered ERROR_${code}`);
    this.code = code;
  }
}

/** Send a message, and return its transaction id; where the queue is full, try again. */
async function send(baseUrl, parameters, attempts = 3) {
  const response = await fetch(`${baseUrl}/sendMtSms.php`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user: "you@example.com", apiKey: "secret", ...parameters }),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const answer = await response.text();
  const [, code] = answer.match(/^ERROR_(\d+)/) ?? []; // an error is bare text, also where JSON was asked for
  if (code === "6" && attempts > 1) return send(baseUrl, parameters, attempts - 1);
  if (code !== undefined) throw new SmsRefused(Number(code));
  return JSON.parse(answer).response.transactionId;
}

// -- the sandbox, and a receiver of reports -----------------------------------------------------------------------

/** Ask the control API: control("POST", "clock/advance", { by: "1h" }). */
async function control(method, path, body) {
  const response = await fetch(`${session}/_sandbox/${path}`, { method, body: body && JSON.stringify(body) });
  const answer = await response.json();
  assert.ok(response.ok, answer.detail);
  return answer;
}

const reports = [];
const receiver = createServer(async (request, response) => {
  reports.push(JSON.parse((await request.toArray()).join("")));
  response.writeHead(204).end();
});
let callbackUrl;

before(async () => {
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  callbackUrl = `http://127.0.0.1:${receiver.address().port}/dlr`;
});

beforeEach(async () => {
  await control("POST", "reset");
  await control("PUT", "clock", { mode: "virtual" });
  reports.length = 0;
});

after(async () => {
  receiver.close();
  receiver.closeAllConnections();
  await fetch(session, { method: "DELETE" });
});

// -- the tests -----------------------------------------------------------------------------------------------------

test("a message is delivered", async () => {
  const id = await send(session, { to: "+34600000001", message: "Código 1234", confirmation: true, callbackUrl });
  const message = await control("GET", "messages/latest");
  assert.deepEqual([message.text, message.encoding.coding], ["Código 1234", "UCS2"]);

  await control("POST", "clock/advance", { by: "1s" }); // answers when the reports of that second have been taken
  assert.deepEqual(reports.map(({ transactionId, status }) => [transactionId, status]), [[id, "delivered"]]);
});

test("an empty account is told by its code", async () => {
  await assert.rejects(send(session, { to: "+15005550009", message: "Hello" }), { code: 9 });
  assert.equal((await control("GET", "messages")).total, 0);
});

test("a queue that is full twice is survived", async () => {
  await control("PUT", "scenario", {
    yaml: "{name: full, rules: [{when: {to: {prefix: '+34'}, nth: [1, 2]}, respond: {error: 6}}]}",
  });
  await send(session, { to: "+34600000001", message: "Hello" });
  assert.equal((await control("GET", "requests?error=6")).total, 2);
  await control("POST", "verify", { match: { to: "+34600000001" }, count: { exactly: 1 } });
});

test("a broken connection is an error", async () => {
  await assert.rejects(send(session, { to: "+15005552003", message: "Hello" }), TypeError);
});

test("a message expires after two days", async () => {
  await send(session, { to: "+15005551004", message: "Hello", confirmation: true, callbackUrl });
  await control("POST", "clock/advance", { by: "48h" });
  assert.equal(reports.at(-1).status, "expired");
});
