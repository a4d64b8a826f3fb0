/** Whether a path fits one of many patterns, compiled so that most of them cost one look into a set. */
import { fitsGlob, isGlob } from './text-glob.ts';

/** Of an absolute path or pattern; in a pattern `**` stands for any number of segments. */
export type Segments = readonly string[];

/** One pattern. */
export interface Shape {
  readonly segments: Segments;
  /** True when it stands for all below what it fits, too. */
  readonly isTree: boolean;
}

export interface SplitPath {
  readonly segments: Segments;
  /** The same joined, with a slash in front. */
  readonly text: string;
}

export interface PathMatcher {
  fits(path: SplitPath): boolean;
  /** False when no path fits that ends in this segment, but for those below a folder that fits itself. */
  mayEndIn(segment: string): boolean;
}

type Test = (segment: string) => boolean;

export function pathMatcher(shapes: readonly Shape[]): PathMatcher {
  const exact = new Set<string>();
  const trees: string[] = [];
  const chains = new Map<string, Chain[]>();
  const nameTests: Test[] = [];
  const others: Shape[] = [];
  const ends = new Set<string>();
  const endTests: Test[] = [];
  for (const shape of shapes) {
    const { segments, isTree } = shape;
    const [first, second, ...rest] = segments;
    const last = segments.at(-1);
    if (last === undefined || last === '**') endTests.push(() => true);
    else if (isGlob(last)) endTests.push(segmentTest(last));
    else ends.add(last);
    if (!segments.some(isGlob)) {
      if (isTree) trees.push(segments.length === 0 ? '' : `/${segments.join('/')}`);
      else exact.add(`/${segments.join('/')}`);
    } else if (first !== '**' || second === undefined || segments.lastIndexOf('**') > 0) others.push(shape);
    else if (!isGlob(second)) chains.set(second, [...(chains.get(second) ?? []), { rest, isTree }]);
    else if (isTree && rest.length === 0) nameTests.push(segmentTest(second));
    else others.push(shape);
  }
  const isInTree = (text: string): boolean =>
    trees.some((tree) => text.startsWith(tree) && (text.length === tree.length || text[tree.length] === '/'));
  const isChained = (segments: Segments): boolean =>
    segments.some(
      (each, index) =>
        chains.get(each)?.some((chain) => fitsChain(chain, segments, index + 1)) === true ||
        nameTests.some((test) => test(each)),
    );
  return {
    fits: ({ segments, text }) =>
      exact.has(text) ||
      isInTree(text) ||
      isChained(segments) ||
      others.some((shape) => fitsSegments(shape, segments)),
    mayEndIn: (segment) => ends.has(segment) || endTests.some((test) => test(segment)),
  };
}

/** What stands behind `**` and a name without stars: the rest of the pattern. */
interface Chain {
  readonly rest: Segments;
  readonly isTree: boolean;
}

function fitsChain({ rest, isTree }: Chain, segments: Segments, from: number): boolean {
  const end = from + rest.length;
  const isLongEnough = isTree ? end <= segments.length : end === segments.length;
  return isLongEnough && rest.every((each, index) => fitsSegment(each, segments[from + index] ?? ''));
}

/** Most patterns of names have one star. */
function segmentTest(pattern: string): Test {
  const star = pattern.indexOf('*');
  if (star === -1 || pattern.includes('?') || pattern.includes('*', star + 1))
    return (segment) => fitsGlob(pattern, segment);
  const before = pattern.slice(0, star);
  const after = pattern.slice(star + 1);
  const shortest = before.length + after.length;
  return (segment) => segment.length >= shortest && segment.startsWith(before) && segment.endsWith(after);
}

/** At most one way back for each `**` at a time: linear in path times pattern, as in fitsGlob. */
function fitsSegments({ segments: pattern, isTree }: Shape, path: Segments): boolean {
  let inPattern = 0;
  let inPath = 0;
  let star = -1;
  let resume = 0;
  while (inPath < path.length) {
    const segment = pattern[inPattern];
    if (segment === '**') {
      star = inPattern++;
      resume = inPath;
    } else if (segment === undefined && isTree) {
      return true;
    } else if (segment !== undefined && fitsSegment(segment, path[inPath] ?? '')) {
      inPattern++;
      inPath++;
    } else if (star !== -1) {
      inPattern = star + 1;
      inPath = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[inPattern] === '**') inPattern++;
  return inPattern === pattern.length;
}

function fitsSegment(pattern: string, segment: string): boolean {
  return pattern === segment || (isGlob(pattern) && fitsGlob(pattern, segment));
}
