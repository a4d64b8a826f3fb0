import { fitsGlob } from '../../../../sandbox/network/text-glob.ts';

export { fitsGlob };

export function isGlob(pattern: string): boolean {
  return /[*?]/.test(pattern);
}

/** The same without regard to case, for rules that must not be dodged by it. */
export function fitsGlobFolded(pattern: string, text: string): boolean {
  if (pattern === text) return true;
  return fitsGlob(pattern.toLowerCase(), text.toLowerCase());
}
