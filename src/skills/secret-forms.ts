/** In which forms programs give a secret back: none of them is shown. */

/** Shorter parts of a secret are words that stand anywhere. */
const MIN_PART = 8;

/**
 * The text itself, its lines, and what it becomes within JSON (with each way to escape it), an address, XML, quotes of a
 * shell and base64 (wherever it stands in what was encoded). What a program makes of it besides is not known.
 */
export function secretForms(value: string): ReadonlySet<string> {
  const whole = [value, value.replaceAll('\r\n', '\n'), value.trim()];
  const lines = value.split(/\r?\n/).filter((line) => line.trim().length >= MIN_PART);
  const forms = [
    ...whole.flatMap((text) => [...jsonForms(text), ...addressForms(text), xmlForm(text), shellForm(text)]),
    ...lines.flatMap((line) => [line.trim(), inJson(line.trim())]),
    ...base64Forms(value),
  ];
  return new Set(forms.filter((form) => form !== ''));
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** As JavaScript, Python, PHP, Go and .NET write it. */
function jsonForms(text: string): string[] {
  const json = inJson(text);
  const ascii = unicode(json, /[^\u0000-\u007f]/g);
  const slashed = json.replaceAll('/', String.raw`\/`);
  return [
    text,
    json,
    ascii,
    slashed,
    unicode(slashed, /[^\u0000-\u007f]/g),
    unicode(json, /[<>&]/g),
    unicode(json.replaceAll(String.raw`\"`, '"'), /[^\u0020-\u007e]|["'<>&+`]/g).replace(
      /\\u[0-9a-f]{4}/g,
      (unit) => `\\u${unit.slice(2).toUpperCase()}`,
    ),
  ];
}

function unicode(text: string, what: RegExp): string {
  return text.replace(what, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function addressForms(text: string): string[] {
  const encoded = encodeURIComponent(text.toWellFormed());
  const strict = encoded.replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
  return [encoded, strict, strict.replaceAll('%20', '+'), strict.replaceAll('%2F', '/')];
}

function xmlForm(text: string): string {
  const names: Readonly<Record<string, string>> = {
    '&': 'amp',
    '<': 'lt',
    '>': 'gt',
    '"': 'quot',
    "'": '#39',
  };
  return text.replace(/[&<>"']/g, (each) => `&${names[each]};`);
}

function shellForm(text: string): string {
  return text.replaceAll("'", String.raw`'\''`);
}

/** What of its base64 depends on it alone, with none, one or two bytes of something else in its first three. */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value);
  if (bytes.length < MIN_PART) return [];
  return [0, 1, 2].flatMap((before) => {
    const all = Buffer.concat([Buffer.alloc(before), bytes]);
    const own = all.toString('base64').slice(Math.ceil((before * 8) / 6), Math.floor((all.length * 8) / 6));
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
