import { type EvaluationFault, LimitFault } from './expression-error.ts';

export const MAX_VISITS = 100_000;
/** Units of about 20 ns: nodes evaluated, 16 characters scanned, 4 steps of the regex machine. */
export const MAX_WORK = 300_000;
export const MAX_TEXT = 1_000_000;
const CHARS_A_UNIT = 16;
const MAX_ABSORBED = 1000;

/** What one evaluation may still spend. It is made anew for each evaluation. */
export class Meter {
  #visits = 0;
  #work = 0;
  #absorbed = 0;
  /** Macros that are open around the node being evaluated. */
  depth = 0;
  /** Regex patterns that this evaluation has paid for. */
  readonly patterns = new Set<string>();

  /** An element of a list or map was looked at. */
  visit(offset: number, count = 1): void {
    this.#visits += count;
    if (this.#visits > MAX_VISITS) {
      throw new LimitFault(`visits more than ${MAX_VISITS} elements`, offset);
    }
  }

  spend(units: number, offset: number): void {
    this.#work += units;
    if (this.#work > MAX_WORK) throw new LimitFault('takes too much work for one evaluation', offset);
  }

  /** False for a cap that was hit, and after 1,000 failures: then the failure ends the evaluation. */
  mayAbsorb(fault: EvaluationFault): boolean {
    this.#absorbed += 1;
    return !(fault instanceof LimitFault) && this.#absorbed <= MAX_ABSORBED;
  }

  /** Characters that an operation has to look at. */
  scan(chars: number, offset: number): void {
    this.spend(Math.ceil(chars / CHARS_A_UNIT), offset);
  }

  /** A text of that length is about to be made. */
  make(chars: number, offset: number): void {
    if (chars > MAX_TEXT) throw new LimitFault(`makes a text longer than ${MAX_TEXT} characters`, offset);
    this.scan(chars, offset);
  }
}
