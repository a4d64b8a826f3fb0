import { connect } from '../../client/client.ts';
import { didYouMean, nearest } from '../../errors/nearest.ts';
import { ensureWorkflowError, type WorkflowError } from '../../errors/workflow-error.ts';
import type { Caller } from '../../protocol/caller.ts';
import { locateHome } from '../../protocol/home.ts';
import { problemLine } from '../base-command.ts';
import { printable } from '../text/style.ts';
import { checkArguments, inputSchema } from './check-arguments.ts';
import { instanceStatus, listInstances, stopInstance } from './instance-tools.ts';
import { instanceLogs } from './logs-tool.ts';
import type { Tool, ToolRoom } from './tool.ts';
import { listWorkflows, runWorkflow, showWorkflow } from './workflow-tools.ts';

const TOOLS: readonly Tool[] = [
  listWorkflows,
  showWorkflow,
  runWorkflow,
  listInstances,
  instanceStatus,
  instanceLogs,
  stopInstance,
];

const INSTRUCTIONS = `Workflows of q workflow: files of steps that run isolated, supervised and recorded.
Start one with run_workflow, then ask instance_status with its id; instance_logs has the output of its steps.
Approvals, kill switches and policies belong to people: no tool here decides about them. When a run waits for an approval, tell the person.`;

export interface McpOptions {
  readonly caller: Caller;
  readonly version: string;
  /** Only tools that change nothing. */
  readonly isReadOnly: boolean;
  /** The only workflows that may be run; null: all. */
  readonly allowed: readonly string[] | null;
}

/** Serves MCP on standard input and output, which holds nothing else, until the input ends. */
export async function serveMcp(options: McpOptions): Promise<void> {
  const sdk = await import('./mcp-sdk.ts');
  const tools = TOOLS.filter(({ effect }) => !options.isReadOnly || effect === 'reads');
  const closed = new Promise((resolve) => {
    process.stdin.once('end', resolve).once('close', resolve);
  });
  const connection = sdk.serveStdio(
    () => {
      const { server } = new sdk.McpServer(
        { name: 'q-workflow', version: options.version },
        { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
      );
      server.setRequestHandler('tools/list', () => ({ tools: tools.map(described) }));
      server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
        const tool = tools.find(({ name }) => name === params.name);
        if (tool === undefined)
          throw new sdk.ProtocolError(sdk.ProtocolErrorCode.InvalidParams, unknownTool(params.name, tools));
        const { signal, envelope } = mcpReq;
        // Newer clients say with each request who they are, older ones once.
        const said: Readonly<Record<string, unknown>> = { ...envelope };
        const client = said[sdk.CLIENT_INFO_META_KEY] ?? server.getClientVersion();
        const token = mcpReq._meta?.progressToken;
        let count = 0;
        const progress = (message: string): void => {
          if (token === undefined || signal.aborted) return;
          count += 1;
          const params = { progressToken: token, progress: count, message };
          // Whoever does not read it any more is not told.
          mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
        };
        const caller = { ...options.caller, via: viaOf(client) };
        return answer(tool, params.arguments, { caller, allowed: options.allowed, signal, progress });
      });
      return server;
    },
    { onerror: complain },
  );
  await closed;
  await connection.close();
}

/** Where a program finds the error of a call. */
const ERROR_KEY = 'q-workflow/error';

interface CallResult {
  readonly content: { type: 'text'; text: string }[];
  readonly structuredContent?: object;
  readonly _meta?: Record<string, unknown>;
  readonly isError?: true;
  readonly [more: string]: unknown;
}

/** The result of one call: what goes wrong is told to the model, with a code and what to do. */
async function answer(tool: Tool, given: unknown, room: Omit<ToolRoom, 'client'>): Promise<CallResult> {
  try {
    const args = checkArguments(tool, given);
    // A connection for each call: a supervisor that was restarted meanwhile is simply found.
    const client = await connect(locateHome(), 'start');
    try {
      const { data, text } = await tool.call(args, { ...room, client });
      return { content: [{ type: 'text', text }], structuredContent: data };
    } finally {
      client.close();
    }
  } catch (thrown) {
    const error = ensureWorkflowError(thrown);
    return {
      content: [{ type: 'text', text: errorText(error) }],
      // Not as structuredContent: clients hold that against the tool's output schema, also of an error, and throw it away.
      _meta: { [ERROR_KEY]: error.toRecord() },
      isError: true,
    };
  }
}

const MAX_PROBLEMS = 20;

function errorText({ code, message, problems, hint }: WorkflowError): string {
  const more = problems.length > MAX_PROBLEMS ? [`… and ${problems.length - MAX_PROBLEMS} more`] : [];
  return [
    `${code}: ${printable(message)}`,
    ...problems.slice(0, MAX_PROBLEMS).map((problem) => `- ${problemLine(problem)}`),
    ...more,
    `What to do: ${hint}`,
  ].join('\n');
}

function unknownTool(name: string, tools: readonly Tool[]): string {
  const names = tools.map((tool) => tool.name);
  return `there is no tool ${JSON.stringify(name).slice(0, 80)}${didYouMean(nearest(name, names))}; there are ${names.join(', ')}`;
}

/** What a client says of itself, in the few letters that a record may have of it. */
function viaOf(client: unknown): string {
  const name = typeof client === 'object' && client !== null && 'name' in client ? String(client.name) : '';
  const cleaned = name
    .replace(/[^\w.@/ -]+/g, '')
    .slice(0, 40)
    .trim();
  return cleaned === '' ? 'mcp' : `mcp ${cleaned}`;
}

function complain(error: Error): void {
  process.stderr.write(`q workflow mcp: ${printable(error.message)}\n`);
}

interface DescribedTool extends Pick<Tool, 'name' | 'title' | 'description'> {
  readonly inputSchema: { type: 'object'; [key: string]: unknown };
  readonly outputSchema: { type: 'object'; [key: string]: unknown };
  readonly annotations: object;
}

function described(tool: Tool): DescribedTool {
  const { name, title, description, effect, result } = tool;
  return {
    name,
    title,
    description,
    inputSchema: { type: 'object', ...inputSchema(tool) },
    outputSchema: { type: 'object', properties: result, required: Object.keys(result) },
    annotations: {
      title,
      readOnlyHint: effect === 'reads',
      destructiveHint: effect === 'ends',
      idempotentHint: effect !== 'writes',
      // A workflow may do anything that its steps may.
      openWorldHint: effect === 'writes',
    },
  };
}
