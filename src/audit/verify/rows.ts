import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';

type Row = Record<string, SQLOutputValue>;

/** What the checks need of a database: statements that read. */
export interface RowReader {
  prepare(sql: string): {
    get(...values: SQLInputValue[]): Row | undefined;
    all(...values: SQLInputValue[]): Row[];
    iterate(...values: SQLInputValue[]): Iterable<Row>;
  };
}

/**
 * Reads rows as they are, whatever somebody put into them. An integer beyond what a number can hold comes as its digits:
 * none of ours is, so it fits nowhere. Left alone, node:sqlite throws there (ERR_OUT_OF_RANGE), and nothing is told.
 */
export function openRows(database: DatabaseSync): RowReader {
  return {
    prepare: (sql) => {
      const statement: StatementSync = database.prepare(sql);
      statement.setReadBigInts(true);
      return {
        get: (...values) => {
          const row = statement.get(...values);
          return row === undefined ? undefined : plain(row);
        },
        all: (...values) => statement.all(...values).map(plain),
        iterate: function* (...values) {
          for (const row of statement.iterate(...values)) yield plain(row);
        },
      };
    },
  };
}

function plain(row: Row): Row {
  for (const name in row) {
    const value = row[name];
    if (typeof value !== 'bigint') continue;
    const number = Number(value);
    row[name] = Number.isSafeInteger(number) ? number : String(value);
  }
  return row;
}
