import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Plugin } from '@oclif/core';

/**
 * Writes oclif.manifest.json from the built commands: with it a command line knows all commands and loads one. A
 * command that cannot be loaded fails the build.
 */
export async function writeManifest(root: string): Promise<void> {
  const file = join(root, 'oclif.manifest.json');
  const plugin = new Plugin({
    root,
    type: 'core',
    isRoot: true,
    ignoreManifest: true,
    errorOnManifestCreate: true,
  });
  await plugin.load();
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  if (plugin.manifest.version !== version)
    throw new Error(`the manifest is of ${plugin.manifest.version}, not ${version}`);
  writeFileSync(file, `${JSON.stringify(plugin.manifest)}\n`);
}
