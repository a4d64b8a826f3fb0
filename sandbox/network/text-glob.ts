/**
 * Whether a text as a whole fits a pattern in which `*` is any run of characters and `?` one of them. Linear in text
 * times pattern, so that no argument of an agent can make it slow.
 */
export function fitsGlob(pattern: string, text: string): boolean {
  let inPattern = 0;
  let inText = 0;
  /** Where to go on when a later part does not fit: behind the last star, one character further on. */
  let star = -1;
  let resume = 0;
  while (inText < text.length) {
    const letter = pattern[inPattern];
    if (letter === '*') {
      star = inPattern++;
      resume = inText;
    } else if (letter === '?' || letter === text[inText]) {
      inPattern++;
      inText++;
    } else if (star !== -1) {
      inPattern = star + 1;
      inText = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[inPattern] === '*') inPattern++;
  return inPattern === pattern.length;
}
