import type { Mount } from './mount.ts';
import type { LayerName, Tier } from './tier.ts';
import { layersOf } from './tier.ts';

/** What this machine offers to the steps of one run; plain JSON, so that it can be handed to the instance. */
export interface SandboxGround {
  readonly bubblewrap: {
    readonly path: string;
    /** It takes sources by descriptor, so that no rename between our look and its mount counts. */
    readonly takesDescriptors: boolean;
  } | null;
  readonly setpriv: string | null;
  /** The file with the seccomp program that bwrap was seen to accept. */
  readonly seccompFile: string | null;
  /** Whom steps run as, when it is not who we are. */
  readonly user: StepUser | null;
  /** The part of the file view that is the same for all steps. */
  readonly system: SystemView;
  /** Why no file view can hold the workspace; null when one can. */
  readonly fault: string | null;
  /** Folders that no step ever sees: the state folder. */
  readonly hidden: readonly string[];
  /** Folders that no step ever writes: policies. */
  readonly readOnly: readonly string[];
  /** What agents do not write besides, where it is there when a command starts: what decides about them. */
  readonly guarded: readonly string[];
  /** The text of `.gitconfig` in a home of which nothing else is shown; null: none. */
  readonly gitConfig: string | null;
}

export interface StepUser {
  readonly uid: number;
  readonly gid: number;
  /** Null for a uid without an entry: it has no groups but its own. */
  readonly name: string | null;
  readonly home: string | null;
}

export interface SystemView {
  readonly mounts: readonly Mount[];
  /** Folders of the system that are seen, links included. */
  readonly folders: readonly string[];
}

/** Layers that the tier needs and this ground does not have. */
export function missingLayers(ground: SandboxGround, tier: Tier): LayerName[] {
  const has: Readonly<Record<LayerName, boolean>> = {
    setpriv: ground.setpriv !== null,
    bubblewrap: ground.bubblewrap !== null && ground.fault === null,
    seccomp: ground.seccompFile !== null && ground.bubblewrap !== null && ground.fault === null,
  };
  return layersOf(tier, ground.user !== null).filter((layer) => !has[layer]);
}

/** The strictest tier, at most this one, whose layers are all there; null when not even `trusted` is held. */
export function heldTier(ground: SandboxGround, tier: Tier): Tier | null {
  if (missingLayers(ground, tier).length === 0) return tier;
  return missingLayers(ground, 'trusted').length === 0 ? 'trusted' : null;
}
