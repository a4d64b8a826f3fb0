/** Servers to reach from the sandbox, calls that try to, and what is on record of it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import type { PolicyFile, RuleFile } from '../../src/guard/policy/files/policy-file.ts';
import type { MockCall } from '../provider/scenario.ts';
import type { AgentBench } from './agents.ts';

export interface Place {
  readonly port: number;
  readonly url: string;
  /** Requests as `METHOD url`. */
  readonly seen: string[];
}

/** A server on this machine's loopback. */
export async function placeFor(t: TestContext, answer?: RequestListener): Promise<Place> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (answer === undefined) response.end('reached');
    else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}`, seen };
}

/** Adds a policy file to a layer. */
export function policy(
  desk: AgentBench,
  layer: 'user' | 'workspace',
  rules: readonly RuleFile[],
  more: Partial<PolicyFile> = {},
): void {
  const folder =
    layer === 'user'
      ? join(desk.bench.env['HOME'] ?? '', '.config', 'q-workflow', 'policies')
      : join(desk.bench.workspace, '.amazonq', 'policies');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = { apiVersion: 'policy/v1', id: 'net', rules, ...more };
  writeFileSync(join(folder, 'net.json'), JSON.stringify(file), { mode: 0o600 });
}

/** The outcome of each call of a tool with what its agent was told. */
export function resultsOf(desk: AgentBench, id: string): string[] {
  return desk
    .agentEvents(id)
    .flatMap((event) =>
      event.type === 'agent.tool_ended'
        ? [
            `${event.outcome} ${typeof event.result === 'string' ? event.result : JSON.stringify(event.result)}`,
          ]
        : [],
    );
}

/** What the records of a type say of a run, the oldest first. */
export function auditOf(desk: AgentBench, id: string, type: string): Record<string, unknown>[] {
  const database = new DatabaseSync(join(desk.bench.home, 'q-workflow.db'), { readOnly: true });
  try {
    return database
      .prepare('SELECT body FROM audit WHERE instance = ? AND type = ? ORDER BY seq')
      .all(id, type)
      .map((row) => (JSON.parse(String(row['body'])) as { data: Record<string, unknown> }).data);
  } finally {
    database.close();
  }
}

/** The decisions of the proxies, each in one line. */
export const decisionsOf = (desk: AgentBench, id: string): string[] =>
  auditOf(desk, id, 'network.decided').map(
    ({ tool, outcome, host, port, reason }) =>
      `${String(tool)} ${String(outcome)} ${String(host)}:${String(port)} ${String(reason)}`,
  );

export const fetchCall = (url: string): MockCall => ({ name: 'http_fetch', args: { url } });
export const execCall = (...argv: string[]): MockCall => ({ name: 'exec', args: { argv } });
export const nodeCall = (script: string): MockCall => execCall(process.execPath, '-e', script);

/** A script that asks, by the proxy where there is one, and prints status and body, or the reason of a refusal. */
export function getOf(url: string): string {
  return `const http=require('node:http'),u=new URL('${url}'),p=new URL(process.env.HTTP_PROXY??u);
http.get({host:p.hostname,port:p.port,path:u.href,headers:{host:u.host},agent:new http.Agent({proxyEnv:{}})},(r)=>{let t='';r.on('data',(c)=>t+=c);
r.on('end',()=>console.log(r.statusCode,r.headers['x-q-workflow-reason']??t))}).on('error',(e)=>console.log(e.code))`;
}
