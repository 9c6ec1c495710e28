// The global `display`: what code shows besides the value of its last expression.

import { bundleOf, formsOf, isBundle } from './show.mjs';
import { defineProperty } from './safe.mjs';
import { tableOf } from './tables.mjs';

/** What the first bytes of a picture say. */
const PICTURES = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47]],
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['image/gif', [0x47, 0x49, 0x46, 0x38]],
  ['image/webp', [0x52, 0x49, 0x46, 0x46]],
  ['image/bmp', [0x42, 0x4d]],
];

export function installDisplay(kernel) {
  const { host } = kernel;
  const formed = (value, forms) => bundleOf(host, value, forms, kernel.program.maps);
  const send = (value, forms, { display_id: id, update } = {}) => {
    const bundle = formed(value, forms);
    if (id !== undefined) bundle.display_id = String(id);
    if (update) bundle.update = true;
    kernel.display(bundle);
  };
  /** Shows a value, or the forms that are given as `{ "text/html": … }`. Waits where an object's forms are a promise. */
  const display = (value, options) => {
    if (options?.raw || isBundle(host, value)) return send(value, value, options);
    const forms = formsOf(host, value);
    if (!host.isPromise(forms)) return send(value, forms, options);
    return forms.then((all) => send(value, all, options));
  };
  const text = (type) => (strings, ...values) =>
    // Also as a tag of a template.
    send('', { [type]: strings?.raw ? String.raw({ raw: strings }, ...values) : String(strings) });
  Object.assign(display, {
    html: text('text/html'),
    markdown: text('text/markdown'),
    svg: text('image/svg+xml'),
    json: (value) => send(value, { 'application/json': value, 'text/plain': formed(value).data['text/plain'] }),
    image: (bytes, type) => {
      const view = bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
      if (!ArrayBuffer.isView(view)) throw new TypeError('display.image takes the bytes of a picture');
      const found = type ?? PICTURES.find(([, start]) => start.every((byte, at) => view[at] === byte))?.[0];
      if (found === undefined) throw new TypeError('display.image knows PNG, JPEG, GIF, WebP and BMP: give the type of others');
      send('', { [found]: view });
    },
    table: (rows) => send(rows, tableOf(host, rows)),
  });
  defineProperty(globalThis, 'display', { value: display, writable: true, configurable: true, enumerable: false });
}
