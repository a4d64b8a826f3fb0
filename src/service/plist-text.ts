import { join } from 'node:path';
import { MARK, type ServiceSpec } from './spec.ts';

const LEAVE_TIMEOUT_S = 45;
/** launchd's own least time between two starts. */
const THROTTLE_S = 10;

/** The plist of a supervisor for launchd, launchd.plist(5). */
export function plistText(spec: ServiceSpec): string {
  const output = join(spec.home.logFolder, 'supervisor.out');
  const stop = LEAVE_TIMEOUT_S + (spec.onStop === 'drain' ? spec.drainSeconds : 0);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<!-- ${MARK} -->`,
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    '<dict>',
    ...entry('Label', text(spec.unit)),
    ...entry('ProgramArguments', ['<array>', ...spec.command.map((word) => `  ${text(word)}`), '</array>']),
    ...entry('EnvironmentVariables', [
      '<dict>',
      ...Object.entries(spec.environment).flatMap(([name, value]) => [
        `  <key>${escaped(name)}</key>`,
        `  ${text(value)}`,
      ]),
      '</dict>',
    ]),
    ...entry('WorkingDirectory', text('/')),
    ...entry('RunAtLoad', '<true/>'),
    ...entry('KeepAlive', '<true/>'),
    ...entry('ThrottleInterval', `<integer>${THROTTLE_S}</integer>`),
    ...entry('ExitTimeOut', `<integer>${stop}</integer>`),
    // Instances are in sessions of their own and outlive it.
    ...entry('AbandonProcessGroup', '<true/>'),
    ...entry('ProcessType', text('Background')),
    ...entry('StandardOutPath', text(output)),
    ...entry('StandardErrorPath', text(output)),
    '</dict>',
    '</plist>',
    '',
  ].join('\n');
}

function entry(key: string, value: string | readonly string[]): string[] {
  const lines = typeof value === 'string' ? [value] : value;
  return [`  <key>${key}</key>`, ...lines.map((line) => `  ${line}`)];
}

function text(value: string): string {
  return `<string>${escaped(value)}</string>`;
}

function escaped(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
