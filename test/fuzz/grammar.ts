import type { Chance } from '../support/chance.js';
import type { Case } from './corpus.js';

/** Messages composed by chance: one in five valid, the others of parts that each may be odd, and bent byte by byte. */

const METHODS = ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH'];
const ODD_METHODS = ['get', 'CONNECT', 'TRACE', 'PRI', 'FOO', 'G\0T', 'GET ', ''];
const PATHS = [
  '',
  '?a=b',
  '/a/../b',
  '//b',
  '/%2e%2e/b',
  '/%2Fb',
  '/%41',
  '/b;c',
  '?x=/../y',
  '/{a|b}',
  '/./',
  '/%C3%BC',
];
const ODD_PATHS = ['/../..', '/%', '/%00', '#x', '\\', ' x', '/\xfc', '/%zz', '/"', '\t'];
const HOSTS = ['web', 'WEB', 'web:80', 'web.', 'web.:080', '[::1]', 'a_b.c'];
const ODD_HOSTS = ['', 'a,b', 'a@b', 'web:', 'web:0', 'we b', 'web/', '[::1', 'web\0'];
const VERSIONS = ['HTTP/1.1'];
const ODD_VERSIONS = ['HTTP/1.0', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1 ', 'HTTP/1.2', ''];
const FIELDS = [
  'X-A: 1',
  'x-b:2',
  'X-C: \t3 \t',
  'X-D:',
  'Accept: */*, text/html;q=0.1',
  'Connection: keep-alive',
  'Connection: X-A, keep-alive',
  'Connection: content-length',
  'Keep-Alive: timeout=5',
  'TE: trailers',
  'Trailer: X-T',
  'X-Mesh-Source: admin',
  'X-Forwarded-Client-Cert: URI=spiffe://a',
  'Upgrade: h2c',
  'Cookie: a=b',
  'Cookie: c=d',
  'A+B: 1',
];
const ODD_FIELDS = [
  'X : 1',
  'X_Y: 1',
  'X.Forwarded.For: 1',
  ' X: 1',
  'X: 1\r\n 2',
  'X: \0',
  'X: \xe4',
  'X',
  ': 1',
  'X: 1\nY: 2',
  'X: 1\rY: 2',
  'Host: web',
  'Expect: x',
  'Expect: 100-continue',
  'Content-Length: 1',
  'Content-Length: 0',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip',
  'Transfer-Encoding: identity',
  'Connection: close',
  'Connection: upgrade\r\nUpgrade: websocket',
];
const CODINGS = ['chunked', 'Chunked', 'chunked\t'];
const ODD_CODINGS = ['chunked, chunked', 'gzip, chunked', 'xchunked', 'chunked;', '"chunked"', ''];
const ODD_LENGTHS = ['+1', '1,1', '0x1', '-1', '1 1', '', '99999999999999999999', '1e1'];
const EXTENSIONS = ['', '', '', ';', ';a', ';a=b', ';a="b c"'];
const ODD_SIZES = ['0x1', '+1', '-1', ' 1', '1 ', '', 'g', '1\n', '1;\n', '1,1', '0000000000000001'];
const TRAILERS = ['', '', 'X-T: 1\r\n', 'X-T: 1\r\nX-U: 2\r\n', 'X-Mesh-A: 1\r\n', 'Connection: close\r\n'];
const ODD_TRAILERS = [
  'Content-Length: 1\r\n',
  'Transfer-Encoding: chunked\r\n',
  'X : 1\r\n',
  ' X: 1\r\n',
  'X: 1\n',
  'Host: a\r\n',
  'X',
];
const CONTENTS = [
  '',
  'b',
  'body',
  'GET / HTTP/1.1\r\nHost: web\r\n\r\n',
  '0\r\n\r\n',
  '\r\n\r\n',
  '\0\xff',
  'x'.repeat(300),
];

/** A message for an id, a number of which tells its requests apart. */
export function anyMessage(chance: Chance, id: string): string {
  const valid = chance.below(5) === 0;
  let text = '';
  for (let n = 1 + chance.below(chance.of([1, 2, 4])); n > 0; n--) {
    // Odd in few places: what is wrong in all of them is refused for the first.
    const odds = valid ? 0 : chance.of([0, 2, 8, 30]);
    text += anyRequest(chance, `/m${id}/${n}`, odds);
  }
  if (valid) return text;
  for (let n = chance.of([0, 0, 1, 1, 2, 5]); n > 0; n--) text = bent(chance, text);
  return text;
}

function anyRequest(chance: Chance, path: string, odds: number): string {
  const pick = <T>(plain: readonly T[], odd: readonly T[]): T =>
    chance.below(100) < odds ? chance.of(odd) : chance.of(plain);
  const line = `${pick(METHODS, ODD_METHODS)} ${path}${pick(PATHS, ODD_PATHS)} ${pick(VERSIONS, ODD_VERSIONS)}`;
  const fields = [`Host: ${pick(HOSTS, ODD_HOSTS)}`];
  for (let n = chance.below(5); n > 0; n--) fields.push(pick(FIELDS, ODD_FIELDS));
  const { framing, body } = anyContent(chance, odds);
  fields.push(...framing);
  if (framing.length > 0 && chance.below(8) === 0 && body !== '') fields.push('Expect: 100-continue');
  // By chance in another order; the last of them may well frame.
  for (let n = chance.below(3); n > 0; n--) fields.push(fields.splice(chance.below(fields.length), 1)[0] as string);
  return `${line}\r\n${fields.join('\r\n')}\r\n\r\n${body}`;
}

function anyContent(chance: Chance, odds: number): { framing: string[]; body: string } {
  const odd = (): boolean => chance.below(100) < odds;
  const content = chance.of(CONTENTS);
  switch (chance.below(3)) {
    case 0:
      return { framing: [], body: odd() ? content : '' };
    case 1: {
      if (odd()) return { framing: [`Content-Length: ${chance.of(ODD_LENGTHS)}`], body: content };
      // An expectation needs a body.
      return { framing: [`Content-Length: ${'0'.repeat(chance.below(3))}${content.length}`], body: content };
    }
    default: {
      const framing = [`Transfer-Encoding: ${odd() ? chance.of(ODD_CODINGS) : chance.of(CODINGS)}`];
      if (odd()) framing.push(`Content-Length: ${content.length}`);
      let body = '';
      for (let n = chance.below(4); n > 0; n--) {
        const data = chance.of(CONTENTS.slice(1));
        const size = odd() ? chance.of(ODD_SIZES) : data.length.toString(16).padStart(chance.below(4), '0');
        body += `${size}${chance.of(EXTENSIONS)}\r\n${data}${odd() ? chance.of(['\n', '', 'x\r\n']) : '\r\n'}`;
      }
      const trailers = odd() ? chance.of(ODD_TRAILERS) : chance.of(TRAILERS);
      return { framing, body: `${body}${chance.of(['0', '000'])}\r\n${trailers}\r\n` };
    }
  }
}

const BYTES = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '0',
  '1',
  'a',
  '\xff',
  '\x85',
  '\x0b',
  '-',
  '_',
  '/',
  '\\',
  '#',
  '"',
];

/** Something put in, taken out, replaced or repeated. */
function bent(chance: Chance, text: string): string {
  const at = chance.below(text.length + 1);
  switch (chance.below(5)) {
    case 0:
      return text.slice(0, at) + chance.of(BYTES) + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + chance.below(3));
    case 2:
      return text.slice(0, at) + String.fromCharCode(chance.below(256)) + text.slice(at + 1);
    case 3:
      return text.slice(0, at) + text.slice(Math.max(0, at - chance.below(40)));
    default:
      return text.slice(0, at);
  }
}

/** Two cases of the corpus behind one another, the first asked to keep the connection. */
export function joined(chance: Chance, cases: readonly Case[], id: string): string {
  const first = chance.of(cases).text(id).replaceAll('Connection: close\r\n', '');
  return first + chance.of(cases).text(`${id}b`);
}

/** Places to cut a text at: mostly none or one, sometimes behind every byte of its beginning. */
export function anyCuts(chance: Chance, text: string): number[] {
  const n = chance.of([0, 0, 1, 1, 2, 6]);
  return Array.from({ length: n }, () => chance.below(text.length + 1));
}

/** Anything: composed, from the corpus, two of it, or one of it bent. */
export function anything(chance: Chance, cases: readonly Case[], id: string): string {
  switch (chance.below(8)) {
    case 0:
      return chance.of(cases).text(id);
    case 1:
    case 2:
      return joined(chance, cases, id);
    case 3:
      return bent(chance, chance.of(cases).text(id));
    default:
      return anyMessage(chance, id);
  }
}
