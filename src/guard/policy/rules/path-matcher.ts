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
  /** Of trees of a `**` and one name: any segment may be it. */
  const names = new Set<string>();
  const nameTests: Test[] = [];
  const others: Shape[] = [];
  const ends = new Set<string>();
  const endTests: Test[] = [];
  for (const shape of shapes) {
    const { segments, isTree } = shape;
    const [first, second] = segments;
    const last = segments.at(-1);
    if (last === undefined || last === '**') endTests.push(() => true);
    else if (isGlob(last)) endTests.push(segmentTest(last));
    else ends.add(last);
    if (!segments.some(isGlob)) {
      if (isTree) trees.push(segments.length === 0 ? '' : `/${segments.join('/')}`);
      else exact.add(`/${segments.join('/')}`);
    } else if (isTree && segments.length === 2 && first === '**' && second !== undefined && second !== '**') {
      if (isGlob(second)) nameTests.push(segmentTest(second));
      else names.add(second);
    } else others.push(shape);
  }
  const isTree = (text: string): boolean =>
    trees.some((tree) => text.startsWith(tree) && (text.length === tree.length || text[tree.length] === '/'));
  return {
    fits: ({ segments, text }) =>
      exact.has(text) ||
      isTree(text) ||
      segments.some((each) => names.has(each) || nameTests.some((test) => test(each))) ||
      others.some((shape) => fitsSegments(shape, segments)),
    mayEndIn: (segment) => ends.has(segment) || endTests.some((test) => test(segment)),
  };
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
