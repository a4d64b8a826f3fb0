import { createInterface } from 'node:readline';

/** Asks on the terminal, on stderr. Ctrl-D is an empty answer; the question is taken back when `over` comes first. */
export function ask(question: string, over: AbortSignal): Promise<{ text: string } | 'interrupt' | 'over'> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  return new Promise((resolve) => {
    let answer: { text: string } | 'interrupt' | 'over' = { text: '' };
    const end = (given: typeof answer): void => {
      answer = given;
      prompt.close();
    };
    const takeBack = (): void => end('over');
    over.addEventListener('abort', takeBack, { once: true });
    prompt.once('SIGINT', () => end('interrupt'));
    let isEntered = false;
    prompt.once('close', () => {
      over.removeEventListener('abort', takeBack);
      // Only Enter ends the line of the question by itself.
      if (!isEntered) process.stderr.write('\n');
      resolve(answer);
    });
    prompt.question(question, (text) => {
      isEntered = true;
      end({ text });
    });
  });
}
