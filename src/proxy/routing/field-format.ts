import type { FieldChanges } from '../../model/route.js';
import type { Call } from '../pipeline/call.js';

type Part = string | ((call: Call) => string);

/** `%REQ(X?Y):Z%`, `%PROTOCOL%`, and `%%` for a plain percent sign (Envoy, `custom_headers`). */
const COMMAND =
  /%(?:%|(REQ)\(([^?)]*)(?:\?([^)]*))?\)(?::(\d+))?%|(PROTOCOL|DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT)%)/g;

const formats = new WeakMap<FieldChanges, Formatted | null>();

interface Formatted {
  readonly set: readonly (readonly [string, readonly Part[]])[];
  readonly add: readonly (readonly [string, readonly Part[]])[];
}

/**
 * Changes of fields for one request: where their values hold commands, what those say of it; a field of which nothing is
 * left is not written. Most hold none, and are as they stand.
 */
export function rendered(changes: FieldChanges, call: Call): FieldChanges {
  let known = formats.get(changes);
  if (known === undefined) {
    known = formattedOf(changes);
    formats.set(changes, known);
  }
  if (known === null) return changes;
  return { remove: changes.remove, set: values(known.set, call), add: values(known.add, call) };
}

function formattedOf({ set, add }: FieldChanges): Formatted | null {
  if (![...set, ...add].some(([, value]) => value.includes('%'))) return null;
  const parts = (pairs: FieldChanges['set']): Formatted['set'] =>
    pairs.map(([name, value]) => [name, partsOf(value)] as const);
  return { set: parts(set), add: parts(add) };
}

function partsOf(value: string): Part[] {
  const parts: Part[] = [];
  let last = 0;
  for (const match of value.matchAll(COMMAND)) {
    parts.push(value.slice(last, match.index), commandOf(match));
    last = match.index + match[0].length;
  }
  return [...parts, value.slice(last)].filter((part) => part !== '');
}

function commandOf([, request, name = '', other = '', length, word]: RegExpExecArray | RegExpMatchArray): Part {
  if (request !== undefined) {
    const most = length === undefined ? Number.POSITIVE_INFINITY : Number(length);
    return (call) => (fieldOf(call, name.toLowerCase()) || fieldOf(call, other.toLowerCase())).slice(0, most);
  }
  switch (word) {
    case 'PROTOCOL':
      return 'HTTP/1.1';
    case 'DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT':
      return (call) => call.peer.remoteAddress;
    default:
      return '%';
  }
}

function fieldOf({ head }: Call, name: string): string {
  switch (name) {
    case '':
      return '';
    case ':path':
      return head.target;
    case ':method':
      return head.method;
    case ':authority':
    case 'host':
      return head.host;
    default:
      return head.fields.get(name) ?? '';
  }
}

function values(pairs: Formatted['set'], call: Call): (readonly [string, string])[] {
  return pairs
    .map(
      ([name, parts]) => [name, parts.map((part) => (typeof part === 'string' ? part : part(call))).join('')] as const,
    )
    .filter(([, value]) => value !== '');
}
