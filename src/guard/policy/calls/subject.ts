import type { SimpleCommand } from '../../command/reading.ts';
import type { Access } from '../../tools.ts';
import type { PathRoots } from '../rules/path-pattern.ts';
import type { GuardedCall } from './call.ts';
import type { FileFacts, ResolvedPath } from './resolve-path.ts';
import type { Destination } from './url.ts';

/** One file that a part of a call touches, or may touch. */
export interface PathUse {
  /** Null: only known when the call runs. */
  readonly spelled: string | null;
  readonly access: readonly Access[];
  /** False for an argument of a program or tool that we don't know: it may be a path, or a word. */
  readonly isKnown: boolean;
  /** Out of a text that is no path as a whole: enough to forbid it, nothing that a permission has to name. */
  readonly isGuess?: true;
  /** One for each folder that it may begin in. */
  readonly resolved: readonly ResolvedPath[];
}

/** What is judged by itself: a call of a tool as a whole, or one program or redirect of a command. */
export interface Part {
  readonly kind: 'call' | 'command' | 'redirect';
  readonly text: string;
  readonly command: SimpleCommand | null;
  readonly paths: readonly PathUse[];
  readonly destinations: readonly Destination[];
  /** What may be a host: for rules that forbid it by name. */
  readonly guessedHosts: readonly Destination[];
  /** True when it may reach a host that its text does not show. */
  readonly hasOpenDestination: boolean;
  /** A wrapper that does nothing but run another part: it needs no rule that allows it. */
  readonly isTransparent: boolean;
}

/**
 * Why a call can't be allowed. `unread`: nobody can tell what it does, so no rule that allows counts; `careful`: it is
 * known, but a person should look. `forbidden`: denied whatever the rules are.
 */
export interface Doubt {
  readonly kind: 'forbidden' | 'unread' | 'careful';
  readonly text: string;
}

/** A call with all that can be known about it before it runs. */
export interface Subject {
  readonly call: GuardedCall;
  /** By its canonical name. */
  readonly tool: string;
  /** The tool that a misspelled name may mean; the same as `tool` otherwise. */
  readonly likelyTool: string;
  readonly roots: PathRoots;
  readonly files: FileFacts;
  readonly parts: readonly Part[];
  readonly doubts: readonly Doubt[];
}
