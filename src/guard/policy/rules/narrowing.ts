import { hashJson } from '../../../audit/canonical.ts';
import type { Layer, LimitsFile, PolicyFile, RuleFile } from '../files/policy-file.ts';
import type { LoadedPolicy } from '../files/policy-set.ts';
import { compileRule, type Rule } from './compile-rule.ts';

/** What an agent file, or the guardrails of a step, say of tools and limits. */
export interface Narrowing {
  /** The only tools; absent: they say nothing of it. An empty list means none. */
  readonly allowedTools?: readonly string[];
  readonly deniedTools?: readonly string[];
  readonly limits?: LimitsFile;
}

/** That as a policy of a layer below: by its default it narrows to the tools named, and never permits anything. */
export function narrowingPolicy(layer: Layer, id: string, narrowing: Narrowing): LoadedPolicy {
  const { allowedTools, deniedTools = [], limits } = narrowing;
  const files: RuleFile[] = [
    ...(allowedTools === undefined || allowedTools.length === 0
      ? []
      : [{ id: 'allowed-tools', effect: 'allow', tool: allowedTools } as const]),
    ...(deniedTools.length === 0 ? [] : [{ id: 'denied-tools', effect: 'deny', tool: deniedTools } as const]),
  ];
  const content: PolicyFile = {
    id,
    layer,
    ...(allowedTools === undefined ? {} : { default: 'deny' }),
    rules: files,
    ...(limits === undefined ? {} : { limits }),
  };
  const rules: Rule[] = files.map((file) => compileRule(file, file.id ?? '', `${layer}/${id}#${file.id}`));
  return {
    id,
    file: null,
    layer,
    environments: ['*'],
    isShadow: false,
    default: content.default ?? null,
    rules,
    content,
    fault: null,
    hash: hashJson(content),
  };
}
