/**
 * A fake agent that speaks the Agent Client Protocol and does what `acp-script.json` in its working folder says, step by
 * step; what it hears goes to `acp-heard.jsonl`. Steps of a turn:
 *   {say} {update} {ask, options?, granted?, refused?} {touch} {spew} {raw} {exit} {hang} {flood} {long} {answer} {request} {end}
 */
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const script = JSON.parse(readFileSync('acp-script.json', 'utf8'));
const OPTIONS = [
  { optionId: 'p-always', name: 'Always', kind: 'allow_always' },
  { optionId: 'p-yes', name: 'Yes', kind: 'allow_once' },
  { optionId: 'p-never', name: 'Never', kind: 'reject_always' },
  { optionId: 'p-no', name: 'No', kind: 'reject_once' },
];
const write = (text) => new Promise((resolve) => process.stdout.write(text, resolve));
const send = (message) => write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const heard = (entry) => appendFileSync('acp-heard.jsonl', `${JSON.stringify(entry)}\n`);
const waiting = new Map();
let lastId = 0;
let turn = 0;

heard({
  started: process.argv.slice(2),
  home: process.env.HOME,
  key: process.env.GEMINI_API_KEY ?? null,
  other: process.env.OPENAI_API_KEY ?? null,
  pid: process.pid,
});
process.stderr.write(`the key is ${process.env.GEMINI_API_KEY ?? 'none'}\n`);
if (script.deaf) process.on('SIGTERM', () => undefined);
if (script.child) spawn('sleep', ['300'], { stdio: 'ignore' });

function ask(params) {
  lastId += 1;
  const id = `a${lastId}`;
  const answer = new Promise((resolve) => waiting.set(id, resolve));
  return send({ id, method: 'session/request_permission', params }).then(() => answer);
}

async function play(id, sessionId, steps) {
  const update = (content) => send({ method: 'session/update', params: { sessionId, update: content } });
  for (const step of steps) {
    if (step.say !== undefined)
      await update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: step.say } });
    if (step.update !== undefined) await update({ sessionUpdate: 'tool_call_update', ...step.update });
    if (step.touch !== undefined) writeFileSync(step.touch, 'touched');
    if (step.spew !== undefined) setInterval(() => appendFileSync(step.spew, 'x'), 1);
    if (step.raw !== undefined) await write(`${step.raw}\n`);
    if (step.exit !== undefined) {
      process.stderr.write('out of credit\n');
      process.exit(step.exit);
    }
    if (step.hang) {
      setInterval(() => undefined, 60_000);
      return;
    }
    if (step.flood !== undefined)
      for (let n = 0; n < step.flood; n += 1)
        await update({ sessionUpdate: 'agent_thought_chunk', content: { type: 'text', text: `${n}` } });
    if (step.long !== undefined) {
      const part = 'x'.repeat(1024 * 1024);
      for (let n = 0; n < step.long; n += 1) await write(part);
      await write('\n');
    }
    if (step.request !== undefined) {
      lastId += 1;
      const answer = new Promise((resolve) => waiting.set(`a${lastId}`, resolve));
      await send({ id: `a${lastId}`, ...step.request });
      heard({ answered: await answer });
    }
    if (step.ask !== undefined) {
      const result = await ask({
        sessionId: step.session ?? sessionId,
        toolCall: step.ask,
        options: step.options ?? OPTIONS,
      });
      heard({ permission: result.result ?? result.error });
      const isGranted = result.result?.outcome?.optionId === 'p-yes';
      if (await play(id, sessionId, (isGranted ? step.granted : step.refused) ?? [])) return true;
    }
    if (step.answer !== undefined) await send({ id, result: step.answer });
    if (step.end !== undefined) {
      await send({ id, result: { stopReason: step.end, ...(step.usage ? { usage: step.usage } : {}) } });
      return true;
    }
  }
  return false;
}

const modes = script.modes ?? ['default', 'yolo'];
const asModes = {
  currentModeId: modes[0],
  availableModes: modes.map((id) => ({ id, name: id })),
};
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params, result, error } = JSON.parse(line);
  if (method === undefined) {
    waiting.get(id)?.({ result, error });
    continue;
  }
  heard({ method, params });
  if (script.ignores === method) continue;
  if (script.before?.[method] !== undefined) await play(id, 's1', script.before[method]);
  if (method === 'initialize')
    await send({ id, result: { protocolVersion: script.version ?? 1, agentCapabilities: {} } });
  if (method === 'session/new')
    await send({ id, result: { sessionId: 's1', ...(modes.length === 0 ? {} : { modes: asModes }) } });
  if (method === 'session/set_mode')
    await send(script.refusesMode ? { id, error: { code: -32602, message: 'no' } } : { id, result: {} });
  if (method === 'session/prompt') {
    const steps = script.turns[turn] ?? [{ end: 'end_turn' }];
    turn += 1;
    // A turn waits for answers, which come on the same pipe.
    void play(id, params.sessionId, steps);
  }
  if (method === 'session/cancel' && script.honoursCancel) process.exit(0);
}
