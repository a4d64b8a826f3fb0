// Sends a message to a webhook as {"text": …}, or without an address appends it to a file. Once for each step.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

const { message, url = '', file } = JSON.parse(readFileSync(0, 'utf8'));
const key = process.env.Q_WORKFLOW_IDEMPOTENCY_KEY;
if (url !== '') {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ text: message }),
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new Error(`the webhook answered ${answer.status}`);
  console.log(JSON.stringify({ sent_to: 'webhook' }));
} else {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (!before.includes(key)) appendFileSync(file, `${new Date().toISOString()} ${message} [${key}]\n`);
  console.log(JSON.stringify({ sent_to: file }));
}
