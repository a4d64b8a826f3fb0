// Appends "book THING" or "cancel THING" to a file, once for each idempotency key.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

const { SKILL_PARAM_action: action, SKILL_PARAM_thing: thing, SKILL_PARAM_file: file } = process.env;
const key = process.env.Q_WORKFLOW_IDEMPOTENCY_KEY;
if (process.env.SKILL_PARAM_sold_out === 'true') {
  console.error(`${thing} is sold out`);
  process.exit(3);
}
const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
if (!before.includes(key)) appendFileSync(file, `${action} ${thing} ${key}\n`);
console.log(JSON.stringify({ thing, booking: `${thing}-${before.split('\n').length}` }));
