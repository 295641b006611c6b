// Sends one message as JavaScript applications do: fetch, with a body of JSON.
// Usage: PANELSMS_URL=http://127.0.0.1:7670 node client.mjs '{"to": "+1222333444", "message": "Hello"}'

async function sendSms(sms) {
  const response = await fetch(`${process.env.PANELSMS_URL}/sendMtSms.php`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ user: "you@example.com", apiKey: "secret", ...sms }),
    signal: AbortSignal.timeout(20_000),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.text();
}

const answer = await sendSms(JSON.parse(process.argv[2]));
console.log(answer);
console.log(answer.startsWith("ERROR_") ? "refused" : JSON.parse(answer).response.transactionId);
