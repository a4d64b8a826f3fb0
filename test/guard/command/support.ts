import { tableName } from '../../../src/guard/command/program-name.ts';
import type { CommandReading } from '../../../src/guard/command/reading.ts';

/** Whether a command of that program, with all the other words among its arguments, is listed. */
export function sees(reading: CommandReading, marker: string): boolean {
  const [program, ...words] = marker.split(' ');
  return reading.commands.some(
    (command) =>
      command.program !== null &&
      tableName(command.program) === program &&
      words.every((word) => command.args.includes(word)),
  );
}

/** The same, where a word known only at run time may be any of the others. */
export function maySee(reading: CommandReading, marker: string): boolean {
  const [program = ''] = marker.split(' ');
  const isOpen = reading.commands.some(
    (command) => command.program === program && command.args.includes(null),
  );
  return isOpen || sees(reading, marker);
}
