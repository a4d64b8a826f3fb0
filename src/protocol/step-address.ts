/** How a person names a step of a run: by its path, or by its id alone, which is unique in a file. */

/**
 * True for the step at the path `address` and all that is in it: its steps, turns, other attempts, handler and undo step.
 * An address without a place (`process`) also means that id wherever it runs: `group/process`, `loop[2]/process`.
 */
export function isAddressed(path: string, address: string): boolean {
  if (path === address) return true;
  if (path.startsWith(address) && '/[~!'.includes(path.charAt(address.length))) return true;
  return isPlainId(address) && idsOn(path).includes(address);
}

/** The path that `address` means of these, in order of their starts: itself, else the latest step of that id. */
export function pathOf(address: string, steps: readonly StepName[]): string | undefined {
  const found =
    steps.find(({ path }) => path === address) ??
    steps.findLast(({ path, id }) => isPlainId(address) && id === address && !path.includes('!'));
  return found?.path;
}

interface StepName {
  readonly path: string;
  readonly id: string;
}

function isPlainId(address: string): boolean {
  return /^[a-z0-9-]+$/.test(address);
}

/** Ids of the step and of those around it: `loop[2]/group~2/a!fix` has loop, group, a and fix. */
function idsOn(path: string): readonly string[] {
  return path.split(/[/!]/).map((part) => part.replace(/[[~].*$/, ''));
}
