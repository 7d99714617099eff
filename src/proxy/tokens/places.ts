import type { TokenRule } from '../../model/authorization.js';
import type { RequestHead } from '../codec/message.js';

/** A token as a request shows it, and how it is taken out. */
export interface Shown {
  readonly text: string;
  readonly takeOut: () => void;
}

/** Every token that a request shows where a rule looks for them: fields, then query, then cookies. */
export function tokensIn(head: RequestHead, { fromHeaders, fromParameters, fromCookies }: TokenRule): Shown[] {
  const shown: Shown[] = [];
  for (const { name, prefix } of fromHeaders) {
    const text = fieldToken(head, name, prefix);
    if (text !== null) shown.push({ text, takeOut: () => head.fields.remove(name) });
  }
  for (const name of fromParameters) {
    const text = parameter(head.target, name);
    if (text !== null) shown.push({ text, takeOut: () => (head.target = withoutParameter(head.target, name)) });
  }
  for (const name of fromCookies) {
    const text = cookie(head, name);
    // A cookie stays: it is the app's own session too (Envoy).
    if (text !== null) shown.push({ text, takeOut: () => {} });
  }
  return shown;
}

/** Lines of one name are one text; what stands behind the prefix, wherever that is, is the token (Envoy). */
function fieldToken({ fields }: RequestHead, name: string, prefix: string): string | null {
  const first = fields.get(name);
  if (first === undefined) return null;
  const value = fields.all(name).join(',');
  if (prefix === '') return value;
  const at = value.indexOf(prefix);
  return at < 0 ? null : value.slice(at + prefix.length).trimStart();
}

function parameter(target: string, name: string): string | null {
  const query = target.indexOf('?');
  if (query < 0) return null;
  const found = target
    .slice(query + 1)
    .split('&')
    .find((part) => nameOf(part) === name);
  return found === undefined ? null : found.slice(name.length + 1);
}

function nameOf(part: string): string {
  const equals = part.indexOf('=');
  return equals < 0 ? part : part.slice(0, equals);
}

function withoutParameter(target: string, name: string): string {
  const query = target.indexOf('?');
  const rest = target
    .slice(query + 1)
    .split('&')
    .filter((part) => nameOf(part) !== name)
    .join('&');
  return rest === '' ? target.slice(0, query) : `${target.slice(0, query)}?${rest}`;
}

function cookie({ fields }: RequestHead, name: string): string | null {
  for (const line of fields.all('cookie'))
    for (const part of line.split(';')) {
      const [own = '', ...value] = part.trim().split('=');
      if (own === name) return value.join('=').replace(/^"(.*)"$/, '$1');
    }
  return null;
}
