/**
 * What instance and supervisor say to each other: the bootstrap over an inherited descriptor, then messages over
 * `instance.sock`. None of the people's methods exists there.
 */
import type { IoBytes, ScopeRecord } from '../../sandbox/isolation.ts';
import type { SandboxGround } from '../../sandbox/launcher/ground.ts';
import type { Tier } from '../../sandbox/launcher/tier.ts';
import type { NetworkEvent } from '../../sandbox/network/events.ts';
import type { NetworkRules } from '../../sandbox/network/rules.ts';
import type { Agent } from '../agents/files/agent.ts';
import type { AgentPolicies } from '../agents/files/agent-policies.ts';
import type { ModelKeys, ModelSpec } from '../agents/model/model-spec.ts';
import type { JsonObject, Workflow } from '../definition/workflow.ts';
import type { ContextValues, JournalEntry, StopKind } from '../engine/events.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';
import type { Skill } from '../skills/skill.ts';
import type { ApprovalRequest } from '../store/tables/approval-rows.ts';

/** How often an instance process says that its event loop turns. */
const BEAT_MS = 5_000;
const MAX_BEAT_MS = 60_000;

/** The same under a CPU limit: of less than a core, everything takes so much longer. */
export function beatOf(cpuPercent: number): number {
  return Math.min(MAX_BEAT_MS, Math.round((BEAT_MS * 100) / Math.min(100, cpuPercent)));
}

/** Descriptor on which an instance process reads its bootstrap, one JSON document up to the end of the stream. */
export const BOOTSTRAP_FD = 3;

export interface Bootstrap {
  readonly instance: string;
  readonly incarnation: number;
  /** Proves to the supervisor that this process is the one it started; never in argv or environment. */
  readonly token: string;
  readonly socket: string;
  /** The instance's own folder: logs, blobs, scratch. */
  readonly folder: string;
  readonly secretsFolder: string;
  /** Tripped kill switches: looked at before every effect, also without a supervisor. */
  readonly killFolder: string;
  /** Hex: secrets are masked by it in what agents say and get. */
  readonly maskKey: string;
  readonly workspace: string;
  /** For the temporary files of the steps; gone with the run. */
  readonly scratch: string;
  readonly workflow: Workflow;
  readonly skills: Readonly<Record<string, Skill>>;
  readonly agents: Readonly<Record<string, Agent>>;
  /** By id of the step, for steps that talk to a model. */
  readonly agentPolicies: Readonly<Record<string, AgentPolicies>>;
  /** By subject, `agent:NAME` or `skill:NAME`. */
  readonly models: Readonly<Record<string, BootModel>>;
  /** By agent: what its program is given of the caller's variables, keys among them; for other drivers than ours. */
  readonly agentVariables: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly inputs: JsonObject;
  readonly context: ContextValues;
  readonly journal: readonly JournalEntry[];
  /** What persons were asked in this run, and what became of it. */
  readonly approvals: readonly BootApproval[];
  readonly scope: ScopeRecord;
  readonly sandbox: {
    readonly ground: SandboxGround;
    /** By step id. */
    readonly steps: Readonly<
      Record<string, { readonly tier: Tier; readonly mode: 'required' | 'best_effort' }>
    >;
    /** What can be reached through the proxy, by step id and tool; what is not in it reaches nothing. */
    readonly networks: Readonly<Record<string, Readonly<Record<string, NetworkRules>>>>;
    /** Ids of agent steps whose commands do not change the repository of the workspace. */
    readonly keptRepository: readonly string[];
  };
  /** Values of variables that steps inherit, from the caller's environment by allow-list. */
  readonly env: Readonly<Record<string, string>>;
  /** Null where nobody saw it end, and for the first. */
  readonly lastProcess: ProcessEnd | null;
  /** Time the run may still be active, ms. */
  readonly remainingMs: number;
  /** How far the time of the run had come, UTC ms; the wall clock may have been set back since. */
  readonly startsAt: number;
  readonly cause: 'start' | 'crash' | 'wait_over' | 'requested';
  /** Only with cause requested: the step from which the run is done again. */
  readonly from: string | null;
  readonly orphanTimeoutMs: number;
}

/** How the process before this one ended. */
export interface ProcessEnd {
  /** UTC ms. */
  readonly at: number;
  /** How long it had been active, since its start or the last pause of the run. */
  readonly activeMs: number;
}

/** A model with its credentials, which go nowhere but into requests to it. */
export interface BootModel {
  readonly spec: ModelSpec;
  readonly keys: ModelKeys;
  /** Why it cannot be used now; null when it can. */
  readonly problem: string | null;
}

export interface BootApproval {
  readonly number: number;
  readonly isDecided: boolean;
  /** Nobody allowed it, and its time is over or somebody said so. */
  readonly isRefused: boolean;
  readonly request: Pick<ApprovalRequest, 'kind' | 'path' | 'call'>;
  readonly answeredAt: number | null;
  readonly voidAt: number | null;
}

/** What a process asks leave for. The answer is committed together with the intent. */
export interface PermitRequest {
  /**
   * `model`: a request to a model; `tool`: one call of a tool, by an agent; `hook`: a command of its file; `approval`: a
   * step that only asks.
   */
  readonly kind: 'spawn' | 'session' | 'model' | 'tool' | 'hook' | 'approval';
  readonly path: string;
  readonly attempt: number;
  /** Skill, agent or MCP server (`@name`) that is started; for `model` and `tool` the agent that asks. */
  readonly subject: string;
  /** The agent for which it is asked; null in a skill step. */
  readonly agentName: string | null;
  /** The tier that is held for it; null when not even the laxest is. */
  readonly tier: Tier | null;
  /** Only for `model`, `tool` and `hook`: the intent that it is asked with. */
  readonly agent?: AgentIntent;
}

/** Which event is the intent. A decision about a tool call takes its arguments from that event, never from here. */
export interface AgentIntent {
  readonly iteration: number;
  /** Null for a model request. */
  readonly call: string | null;
  /** Canonical name, `hook:EVENT` for a hook; null for a model request. */
  readonly tool: string | null;
}

export interface Permit {
  /** `wait`: a person is asked; `approval` says until when. */
  readonly decision: 'allow' | 'deny' | 'wait';
  /** What a refusal is called; null for what is allowed. */
  readonly code: 'POLICY_DENIED' | 'KILL_SWITCH' | 'APPROVAL_DENIED' | null;
  readonly rules: readonly string[];
  readonly policyHash: string;
  /** SHA-256 of the canonical JSON of the inputs in the intent that was journaled; secrets by name. */
  readonly inputsHash: string;
  /** Kill-switch epoch at the decision; an older epoch is refused. */
  readonly epoch: number;
  readonly reason: string;
  /** Rules with a rate that speak of an allowed call: it counts for them. */
  readonly rated?: readonly string[];
  /** Rules of files in shadow mode that would have said otherwise. */
  readonly shadow?: readonly string[];
  /** The approval that waits for a person, or by which it was decided. */
  readonly approval?: PermitApproval;
  /** What the approved call may reach beside the rules of its tool, while it runs; each is a way of its own. */
  readonly network?: readonly NetworkRules[];
}

export interface PermitApproval {
  readonly number: number;
  /** UTC ms: it is denied then. */
  readonly until: number;
  /** Who decided, when (UTC ms), and with what words; null while nobody has. */
  readonly by: string | null;
  readonly at: number | null;
  readonly reason: string | null;
}

/** What the proxy of a process decided, or how a connection through it ended. */
export interface NetworkReport {
  readonly path: string;
  readonly attempt: number;
  /** The tool whose process it was, `@server` for an MCP server, `skill` for the command of a skill step. */
  readonly tool: string;
  readonly event: NetworkEvent;
}

export type InstanceMessage =
  | {
      readonly type: 'hello';
      readonly instance: string;
      readonly incarnation: number;
      readonly token: string;
      readonly pid: number;
      /** Highest sequence number that this process knows to be committed. */
      readonly ackedSeq: number;
      /** It sends a `beat` so often; a process of an older version says nothing and sends none. */
      readonly beatMs?: number;
    }
  /** Its event loop turns. */
  | { readonly type: 'beat' }
  | { readonly type: 'events'; readonly entries: readonly JournalEntry[] }
  /** Answered after the commit of all events up to `afterSeq`. */
  | {
      readonly type: 'permit';
      readonly id: number;
      readonly afterSeq: number;
      readonly request: PermitRequest;
    }
  /** Answered after its commit; told again when the answer is lost, and then it may be recorded twice. */
  | { readonly type: 'network'; readonly id: number; readonly report: NetworkReport }
  /** Progress of a step, shown live, not journaled. */
  | { readonly type: 'progress'; readonly path: string; readonly line: string }
  /** What a tripped kill switch covers of this run has ended; nothing of it is left. */
  | { readonly type: 'switched_off'; readonly scope: string }
  /**
   * Its last words: what its tree moved to and from disks. Where the kernel counts by process only, nobody can see
   * that of an ended process.
   */
  | { readonly type: 'io'; readonly bytes: IoBytes };

export type SupervisorMessage =
  | { readonly type: 'welcome'; readonly ackedSeq: number }
  /** A newer incarnation exists, or the token is wrong: the process ends at once. */
  | { readonly type: 'fenced'; readonly reason: string }
  | { readonly type: 'ack'; readonly seq: number }
  | { readonly type: 'permit'; readonly id: number; readonly permit: Permit }
  | { readonly type: 'network'; readonly id: number; readonly isRecorded: boolean }
  /** An approval is decided: what waits for it asks again. */
  | { readonly type: 'released'; readonly approval: number }
  | { readonly type: 'stop'; readonly kind: StopKind; readonly by: string }
  /**
   * A kill switch that covers a part of this run: attempts in it end now, without a grace unless `isGentle`. Permits of
   * older epochs count no more. Answered by `switched_off`.
   */
  | {
      readonly type: 'tripped';
      readonly scope: string;
      readonly reason: string;
      readonly epoch: number;
      readonly isGentle: boolean;
    }
  | { readonly type: 'refused'; readonly error: ErrorRecord };
