// Rows as data: the forms that `display.table` gives. docs/results.md describes them.

/** The most rows and columns, characters of all rows, and of a text. */
const ROWS = 200;
const COLUMNS = 50;
const SIZE = 64 << 10;
const TEXT = 500;
/** Rows of the plain text. */
const SHOWN = 20;

const escaped = (text) => text.replace(/[&<>"]/g, (each) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[each]);

/** The forms of an array (or other iterable) of objects, arrays or single values. */
export function tableOf(host, rows) {
  const all = Array.isArray(rows) ? rows : [...(typeof rows?.[Symbol.iterator] === 'function' ? rows : [rows])];
  const columns = columnsOf(all);
  const names = columns.slice(0, COLUMNS);
  const data = [];
  let size = 0;
  for (const row of all.slice(0, ROWS)) {
    const record = {};
    for (const { name, get } of names) record[name] = cellOf(host, get(row));
    size += JSON.stringify(record).length;
    if (size > SIZE && data.length > 0) break;
    data.push(record);
  }
  const fields = names.map(({ name }) => ({ name, type: typeOf(data, name) }));
  const cells = data.map((record) => names.map(({ name }) => record[name]));
  return {
    'text/plain': plainText(names, cells, all.length, columns.length),
    'text/html': html(names, cells, all.length),
    'application/vnd.dataresource+json': {
      profile: 'tabular-data-resource',
      schema: { fields },
      data,
      cellblock: { rows: all.length, columns: columns.length, shown: data.length },
    },
  };
}

function columnsOf(rows) {
  const found = new Map();
  for (const row of rows.slice(0, 1000)) {
    if (Array.isArray(row)) row.forEach((_, at) => found.has(`${at}`) || found.set(`${at}`, (its) => its?.[at]));
    else if (isRecord(row)) for (const name of Object.keys(row)) found.has(name) || found.set(name, (its) => its?.[name]);
    else if (!found.has('value')) found.set('value', (its) => (isRecord(its) || Array.isArray(its) ? undefined : its));
  }
  return [...found].map(([name, get]) => ({ name, get }));
}

function isRecord(value) {
  return typeof value === 'object' && value !== null && !(value instanceof Date);
}

function cellOf(host, value) {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'boolean') return value;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  const text = typeof value === 'string' ? value : typeof value === 'bigint' ? String(value) : host.inspect(value, { depth: 1, breakLength: Infinity });
  return text.length > TEXT ? `${text.slice(0, TEXT)}…` : text;
}

function typeOf(data, name) {
  const types = new Set();
  for (const { [name]: value } of data) {
    if (value === null) continue;
    if (typeof value === 'number') types.add(Number.isInteger(value) ? 'integer' : 'number');
    else if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value)) types.add('datetime');
    else types.add(typeof value);
  }
  if (types.size === 2 && types.has('integer') && types.has('number')) return 'number';
  return types.size === 1 ? [...types][0] : 'string';
}

const shown = (value) => (value === null ? '' : String(value).replace(/\s+/g, ' '));

function plainText(names, cells, rows, columns) {
  const lines = [names.map(({ name }) => name), ...cells.slice(0, SHOWN).map((row) => row.map(shown))];
  const widths = names.map((_, at) => Math.min(40, Math.max(...lines.map((line) => line[at].length))));
  const clip = (text, width) => (text.length > width ? `${text.slice(0, width - 1)}…` : text);
  const numeric = names.map((_, at) => cells.every((row) => row[at] === null || typeof row[at] === 'number'));
  const text = lines.map((line) =>
    line.map((each, at) => (numeric[at] ? clip(each, widths[at]).padStart(widths[at]) : clip(each, widths[at]).padEnd(widths[at]))).join('  ').trimEnd());
  const shownRows = Math.min(SHOWN, cells.length);
  if (shownRows < rows || names.length < columns) text.push(`(${shownRows} of ${rows} rows, ${names.length} of ${columns} columns)`);
  return text.join('\n');
}

function html(names, cells, rows) {
  const head = names.map(({ name }) => `<th>${escaped(name)}</th>`).join('');
  const body = cells.map((row) => `<tr>${row.map((each) => `<td>${escaped(shown(each))}</td>`).join('')}</tr>`).join('\n');
  const more = cells.length < rows ? `\n<p>${cells.length} of ${rows} rows</p>` : '';
  return `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>${more}`;
}
