import type { DatabaseSync } from 'node:sqlite';

/** The table `meta`: single values by name. */
export interface MetaTable {
  get(name: string): string | null;
  set(name: string, value: string): void;
}

export function openMetaTable(database: DatabaseSync): MetaTable {
  const get = database.prepare('SELECT value FROM meta WHERE key = ?');
  const set = database.prepare(
    'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  return {
    get: (name) => {
      const row = get.get(name);
      return row === undefined ? null : String(row['value']);
    },
    set: (name, value) => {
      set.run(name, value);
    },
  };
}
