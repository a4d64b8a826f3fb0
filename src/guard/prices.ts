/** Prices of models: US dollars a million tokens. The version goes into the audit with every cost. */
export interface PriceTable {
  readonly version: string;
  readonly models: Readonly<Record<string, ModelPrice>>;
}

export interface ModelPrice {
  readonly input: number;
  readonly output: number;
  /** Of input that was read from a cache; default: as input. */
  readonly cached?: number;
}

/** Checks the text of a price file. Throws RangeError with what is wrong. */
export function parsePrices(text: string): PriceTable {
  const value: unknown = JSON.parse(text);
  if (!isMap(value) || typeof value['version'] !== 'string' || !isMap(value['models']))
    throw new RangeError('a price file has a "version" and "models"');
  const models = Object.entries(value['models']).map(
    ([name, price]) => [name, priceOf(name, price)] as const,
  );
  return { version: value['version'], models: Object.fromEntries(models) };
}

function priceOf(name: string, price: unknown): ModelPrice {
  const read = (key: string): number | null => {
    const found = isMap(price) ? price[key] : undefined;
    if (found === undefined) return null;
    if (typeof found === 'number' && Number.isFinite(found) && found >= 0) return found;
    throw new RangeError(`the price "${key}" of ${name} is no number of dollars`);
  };
  const [input, output, cached] = [read('input'), read('output'), read('cached')];
  if (input === null || output === null)
    throw new RangeError(`${name} needs a price for "input" and "output"`);
  return { input, output, ...(cached === null ? {} : { cached }) };
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
