import { heldTier, missingLayers } from '../../sandbox/launcher/ground.ts';
import type { StepSandbox, StepView } from '../../sandbox/launcher/launch.ts';
import type { Tier } from '../../sandbox/launcher/tier.ts';
import type { NetworkGrants } from '../../sandbox/network/grants.ts';
import type { LeafStep } from '../definition/workflow.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { HOOK } from '../guard/policy/calls/traffic.ts';
import type { Bootstrap } from '../protocol/instance-link.ts';
import { scriptsOf } from '../skills/scripts.ts';
import type { Skill } from '../skills/skill.ts';
import { type NetworkOwner, networkRecorder } from './network-recorder.ts';

/**
 * The sandbox that a step of this skill runs in. Throws ISOLATION_MISSING where the step requires layers that this
 * machine does not have (any more): a run that goes on elsewhere or later meets them again here.
 */
export function stepSandbox(
  bootstrap: Bootstrap,
  step: LeafStep,
  skill: Skill,
  owner: NetworkOwner,
): StepSandbox {
  return sandboxOf(bootstrap, step, owner, {
    repository: 'write',
    networkAccess: skill.permissions?.networkAccess ?? true,
    grants: null,
    read: skill.permissions?.fileRead ?? null,
    write: skill.permissions?.fileWrite ?? null,
    files: [...(skill.file === null ? [] : [skill.file]), ...scriptsOf(skill, bootstrap.workspace)],
  });
}

/**
 * The sandbox that a tool of an agent step runs in, with the network of this tool and what its calls are granted;
 * `files` are programs of ours that it has to see.
 */
export function toolSandbox(
  bootstrap: Bootstrap,
  step: LeafStep,
  files: readonly string[],
  owner: NetworkOwner,
  grants: NetworkGrants | null,
): StepSandbox {
  // MCP servers and hooks are what people have set up: policies speak of their calls, not of the commands of git.
  const isSetUp = owner.tool.startsWith('@') || owner.tool === HOOK;
  const isKept = bootstrap.sandbox.keptRepository.includes(step.id) && !isSetUp;
  return sandboxOf(bootstrap, step, owner, {
    repository: isKept ? 'read' : 'write',
    networkAccess: true,
    read: null,
    write: null,
    files,
    grants,
  });
}

function sandboxOf(
  bootstrap: Bootstrap,
  step: LeafStep,
  owner: NetworkOwner,
  given: Required<Pick<StepView, 'read' | 'write' | 'files' | 'repository'>> & {
    readonly networkAccess: boolean;
    readonly grants: NetworkGrants | null;
  },
): StepSandbox {
  const { ground, steps, networks } = bootstrap.sandbox;
  // A step that is not in the plan has been asked nothing of: then nothing is left out.
  const { tier, mode } = steps[step.id] ?? { tier: 'untrusted', mode: 'required' };
  const missing = mode === 'required' ? missingLayers(ground, tier) : [];
  if (missing.length > 0)
    throw new WorkflowError(
      'ISOLATION_MISSING',
      `step "${step.id}" requires the tier ${tier}, and there is no ${missing.join(', no ')} for it here`,
      { details: { missing } },
    );
  const network = networkOf(tier, given.networkAccess);
  const tools = networks[step.id] ?? {};
  const rules = Object.hasOwn(tools, owner.tool) ? tools[owner.tool] : undefined;
  const { grants } = given;
  const hasAccess = network === 'proxy' && (rules !== undefined || grants !== null);
  const access = {
    ...(rules ?? { rules: [] }),
    ...(grants === null ? {} : { grants }),
    onEvent: networkRecorder(owner),
  };
  return {
    ground,
    ...(hasAccess ? { access } : {}),
    view: {
      tier,
      network,
      workspace: bootstrap.workspace,
      scratch: tier === 'untrusted' ? null : bootstrap.scratch,
      read: given.read,
      write: given.write,
      files: given.files,
      repository: given.repository,
      home: bootstrap.env['HOME'] ?? null,
    },
  };
}

/** The tier that is really held for a step; null when not even the laxest is. */
export function usedTier(bootstrap: Bootstrap, step: LeafStep): Tier | null {
  return heldTier(bootstrap.sandbox.ground, bootstrap.sandbox.steps[step.id]?.tier ?? 'untrusted');
}

/** A skill file can only take the network away. */
function networkOf(tier: Tier, networkAccess: boolean): StepView['network'] {
  if (tier === 'untrusted' || !networkAccess) return 'none';
  return tier === 'agent' ? 'proxy' : 'host';
}
