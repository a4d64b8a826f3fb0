/** How far a step is trusted, from lax to strict; each tier holds all that the one before it holds. */
export const TIERS = ['trusted', 'skill', 'agent', 'untrusted'] as const;

export type Tier = (typeof TIERS)[number];

/** A layer of the sandbox beyond the scope, each with a program or a part of the kernel behind it. */
export type LayerName = 'setpriv' | 'bubblewrap' | 'seccomp';

export function isLaxer(tier: Tier, than: Tier): boolean {
  return TIERS.indexOf(tier) < TIERS.indexOf(than);
}

/** The layers without which a tier is not what it says. */
export function layersOf(tier: Tier, changesUser: boolean): readonly LayerName[] {
  if (tier === 'trusted') return ['setpriv'];
  // bwrap sets no_new_privs and drops capabilities by itself; only another uid has to be taken before it.
  return changesUser ? ['setpriv', 'bubblewrap', 'seccomp'] : ['bubblewrap', 'seccomp'];
}
