import { renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { heldTier, type SandboxGround, type StepUser } from '../../../sandbox/launcher/ground.ts';
import { realPath } from '../../../sandbox/launcher/real-path.ts';
import { seccompProgram } from '../../../sandbox/launcher/seccomp/program.ts';
import { surveySystem, workspaceFault } from '../../../sandbox/launcher/system-view.ts';
import type { LayerName, Tier } from '../../../sandbox/launcher/tier.ts';
import { type WorkspaceOwner, workspaceOwner } from '../../../sandbox/launcher/workspace-owner.ts';
import { type Layers, probeLayers } from '../../../sandbox/layers.ts';
import { anchorPlace } from '../../audit/anchor-file.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { guardedPlaces } from '../../guard/policy/rules/guard-files.ts';
import type { StepTier } from '../../guard/tiers.ts';
import { type Home, unusable } from '../../protocol/home.ts';
import { packageRoot } from '../../protocol/install.ts';
import { gitIdentity } from './git-identity.ts';
import { findUser } from './users.ts';

/** What this machine offers to the steps of the runs of one workspace. */
export interface Offer {
  readonly ground: SandboxGround;
  readonly layers: Layers;
}

/** Finds out what the machine can do: once, but for what gave no answer in time. */
export interface Sandboxes {
  /** Throws WORKSPACE_UNSAFE. */
  offer(workspace: string): Promise<Offer>;
  /** Begins to find out before anybody asks. */
  lookAhead(): void;
}

/** What a run has of the sandbox, as it is recorded and shown. */
export interface SandboxRecord {
  readonly layers: { readonly held: readonly LayerName[]; readonly missing: readonly LayerName[] };
  /** Step id → the tier that is held for it; null when not even `trusted` is. */
  readonly tiers: Readonly<Record<string, Tier | null>>;
}

/** Files of the system change now and then; which of them are private is looked up again after this time. */
const SURVEY_LIFE_MS = 60_000;

export function openSandboxes(home: Home, probe: typeof probeLayers = probeLayers): Sandboxes {
  const seccompFile = writeProgram(home);
  const probes = new Map<number | null, Promise<Layers>>();
  const systems = new Map<boolean, { readonly at: number; readonly view: SandboxGround['system'] }>();

  const layersFor = (user: StepUser | null): Promise<Layers> => {
    const key = user?.uid ?? null;
    const known = probes.get(key) ?? probe({ user });
    probes.set(key, known);
    // What gave no answer, since the machine was busy, is asked again when the next one wants to know.
    const forget = (): void => void (probes.get(key) === known && probes.delete(key));
    known.then(({ setpriv, bubblewrap, seccomp }) => {
      if ([setpriv, bubblewrap, seccomp].some(({ isLate }) => isLate)) forget();
    }, forget);
    return known;
  };
  const systemFor = (isRoot: boolean): SandboxGround['system'] => {
    const known = systems.get(isRoot);
    if (known !== undefined && performance.now() - known.at < SURVEY_LIFE_MS) return known.view;
    const view = surveySystem(isRoot);
    systems.set(isRoot, { at: performance.now(), view });
    return view;
  };
  const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

  return {
    lookAhead: () => {
      // Not awaited: the first run waits for it, the start of the supervisor does not. Its error comes to that run.
      layersFor(null).then(
        ({ bubblewrap }) => bubblewrap.path === null || systemFor(isRoot),
        () => undefined,
      );
    },
    offer: async (workspace) => {
      const owner = ownerOf(workspace);
      const user = isRoot && owner !== null && owner.uid !== 0 ? await findUser(owner.uid, owner.gid) : null;
      const layers = await layersFor(user);
      const { bubblewrap, setpriv, seccomp } = layers;
      // Without setpriv nobody turns into the user: then the view is that of root, with its masks.
      const staysRoot = isRoot && (user === null || setpriv.path === null);
      const ownHome = user?.home ?? homedir();
      const hidden = [home.folder, anchorPlace(home.folder, process.env)].map(
        (path) => realPath(path) ?? path,
      );
      return {
        layers,
        ground: {
          bubblewrap:
            bubblewrap.path === null
              ? null
              : { path: bubblewrap.path, takesDescriptors: bubblewrap.takesDescriptors },
          setpriv: setpriv.path,
          seccompFile: seccomp.path === null ? null : seccompFile,
          user,
          system: bubblewrap.path === null ? { mounts: [], folders: [] } : systemFor(staysRoot),
          fault: workspaceFault(realPath(workspace) ?? workspace, hidden),
          hidden,
          readOnly: [join(packageRoot(), 'policies')],
          guarded: guardedPlaces(realPath(workspace) ?? workspace, realPath(ownHome) ?? ownHome),
          gitConfig: gitIdentity(ownHome),
        },
      };
    },
  };
}

export function sandboxRecord(
  ground: SandboxGround,
  tiers: Readonly<Record<string, StepTier>>,
): SandboxRecord {
  const works: Readonly<Record<LayerName, boolean>> = {
    setpriv: ground.setpriv !== null,
    bubblewrap: ground.bubblewrap !== null && ground.fault === null,
    seccomp: ground.seccompFile !== null && ground.fault === null,
  };
  const names = ['setpriv', 'bubblewrap', 'seccomp'] as const;
  return {
    layers: { held: names.filter((name) => works[name]), missing: names.filter((name) => !works[name]) },
    tiers: Object.fromEntries(Object.entries(tiers).map(([id, { tier }]) => [id, heldTier(ground, tier)])),
  };
}

/** The owner of a workspace; null when it is gone, which fails later, with a better word. */
function ownerOf(workspace: string): WorkspaceOwner | null {
  const owner = workspaceOwner(workspace);
  if (owner === null || owner.fault === null) return owner;
  throw new WorkflowError('WORKSPACE_UNSAFE', owner.fault, { details: { workspace } });
}

/** Steps get it by a descriptor of its own each, opened from this file. Throws STORE_FULL, HOME_UNWRITABLE. */
function writeProgram(home: Home): string | null {
  const program = seccompProgram();
  if (program === null) return null;
  const file = join(home.folder, 'seccomp.bpf');
  try {
    writeFileSync(`${file}.new`, program, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw unusable(home, error);
  }
  return file;
}
