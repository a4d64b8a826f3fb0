/** A systemctl that remembers what it was told, and what it then answers. */
import type { RunTool, ToolAnswer } from '../../src/service/run-tool.ts';

export interface FakeSystemctl {
  readonly run: RunTool;
  /** Words of each call that changes something. */
  readonly calls: string[];
  isActive: boolean;
  /** The verb that fails, and what it says. */
  failing: { readonly verb: string; readonly complaint: string } | null;
}

export function fakeSystemctl(started: () => void = () => undefined): FakeSystemctl {
  const said = (output: string, status = 0): ToolAnswer => ({ status, output, complaint: '' });
  const fake: FakeSystemctl = {
    calls: [],
    isActive: false,
    failing: null,
    run: async (file, args) => {
      const verb = args.find((word) => !word.startsWith('--')) ?? '';
      if (fake.failing?.verb === verb) return { status: 1, output: '', complaint: fake.failing.complaint };
      if (verb === 'show') return said('252.39-1~deb12u1');
      if (verb === 'is-active') return said(fake.isActive ? 'active' : 'inactive', fake.isActive ? 0 : 3);
      if (verb === 'is-enabled') return said('enabled');
      fake.calls.push([file, ...args].join(' '));
      if (verb === 'start' || verb === 'restart') {
        fake.isActive = true;
        started();
      }
      if (verb === 'disable' || verb === 'stop') fake.isActive = false;
      return said('');
    },
  };
  return fake;
}
