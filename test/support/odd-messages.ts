import type { Chance } from './chance.js';

/**
 * Messages that two parsers might read differently: a corpus in groups, and a grammar that composes more of them by chance.
 * Written from the rules of RFC 9112 and the categories of known desynchronisations.
 */

/** What an attacker wants somebody behind us to take for a request of its own. */
export const inner = (name: string): string => `GET /inner-${name} HTTP/1.1\r\nHost: web\r\n\r\n`;

export interface OddMessage {
  readonly group: string;
  /** Its path, where it is one: nothing else may be seen of it. */
  readonly name: string;
  readonly bytes: string;
}

type Build = (name: string) => string;

const CHUNKED_BODY = '4\r\nbody\r\n0\r\n\r\n';
const post =
  (fields: string, body: string, line = 'HTTP/1.1'): Build =>
  (name) =>
    `POST /${name} ${line}\r\nHost: web\r\n${fields}\r\n${body.replaceAll('{inner}', inner(name))}`;

/** One byte put in at each of six places of a Transfer-Encoding line. */
function transferEncodings(): Build[] {
  const places: ((byte: string) => string)[] = [
    (byte) => `${byte}Transfer-Encoding: chunked`,
    (byte) => `Transfer${byte}-Encoding: chunked`,
    (byte) => `Transfer-Encoding${byte}: chunked`,
    (byte) => `Transfer-Encoding:${byte}chunked`,
    (byte) => `Transfer-Encoding: chun${byte}ked`,
    (byte) => `Transfer-Encoding: chunked${byte}`,
  ];
  const bytes: string[] = [];
  for (let code = 0; code < 256; code++) {
    const letter = (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
    if (!letter) bytes.push(String.fromCharCode(code));
  }
  const lengths = [`Content-Length: ${CHUNKED_BODY.length}\r\n`, ''];
  return places.flatMap((place) =>
    bytes.flatMap((byte) => lengths.map((length) => post(`${place(byte)}\r\n${length}`, `${CHUNKED_BODY}{inner}`))),
  );
}

const LENGTHS = [
  '4',
  '0',
  '+4',
  '-4',
  '4,4',
  '4, 4',
  '4 4',
  ' 4',
  '4 ',
  '0x4',
  '4.0',
  '4e0',
  '04',
  '',
  '99999999999999999999',
  '4;a',
  '\t4',
  '"4"',
  'four',
];
const CODINGS = [
  'chunked',
  'Chunked',
  'CHUNKED',
  'xchunked',
  'chunked, chunked',
  'identity',
  'identity, chunked',
  'chunked, identity',
  'gzip, chunked',
  'chunked;q=1',
  '"chunked"',
  ',chunked',
  'chunked,',
  '',
  'chunked\tfoo',
  'chunked foo',
];

function framings(): Build[] {
  const bodies = ['body', CHUNKED_BODY, '{inner}', '0\r\n\r\n{inner}', `${CHUNKED_BODY}{inner}`];
  const builds: Build[] = [];
  for (const length of LENGTHS) for (const body of bodies) builds.push(post(`Content-Length: ${length}\r\n`, body));
  for (const coding of CODINGS) {
    for (const body of bodies) {
      builds.push(post(`Transfer-Encoding: ${coding}\r\n`, body));
      builds.push(post(`Content-Length: 4\r\nTransfer-Encoding: ${coding}\r\n`, body));
      builds.push(post(`Transfer-Encoding: ${coding}\r\nContent-Length: 4\r\n`, body));
      builds.push(post(`Transfer-Encoding: ${coding}\r\n`, body, 'HTTP/1.0'));
    }
    builds.push(post(`Transfer-Encoding: chunked\r\nTransfer-Encoding: ${coding}\r\n`, CHUNKED_BODY));
  }
  for (const one of LENGTHS)
    for (const other of ['4', '5'])
      builds.push(post(`Content-Length: ${one}\r\nContent-Length: ${other}\r\n`, 'body{inner}'));
  return builds;
}

const SIZES = [
  '4',
  '04',
  '0004',
  '+4',
  '-4',
  ' 4',
  '4 ',
  '0x4',
  '4;',
  '4;a',
  '4;a=b',
  '4;a="b"',
  '4;\n',
  '4\r',
  '4\n',
  '',
  'g',
  '4,',
  '4\t',
  'ffffffffffffffff',
  '100000000000000004',
  '4 ;a',
  `4;${'x'.repeat(5_000)}`,
];

function chunks(): Build[] {
  const ends = [
    '\r\n0\r\n\r\n',
    '0\r\n\r\n',
    '\n0\r\n\r\n',
    '\r\n0\n\n',
    '\r\n0\r\nX: y\r\n\r\n',
    '\r\n0\r\nContent-Length: 4\r\n\r\n',
    '\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n',
    '\r\n0\r\n X: y\r\n\r\n',
    '\r\n00\r\n\r\n',
    '\r\n-0\r\n\r\n',
    '\r\n0\r\nHost: other\r\n\r\n',
  ];
  return SIZES.flatMap((size) =>
    ends.map((end) => post('Transfer-Encoding: chunked\r\n', `${size}\r\nbody${end}{inner}`)),
  );
}

function lines(): Build[] {
  const versions = [
    'HTTP/1.1',
    'HTTP/1.0',
    'HTTP/0.9',
    'HTTP/2.0',
    'HTTP/1.2',
    'http/1.1',
    'HTTP/1.1 ',
    'HTTP/01.1',
    'HTTP/1.10',
    'HTTP/1',
    '',
    'HTTP/1.1\t',
    'HTTPS/1.1',
  ];
  const methods = [
    'GET',
    'get',
    'G\0ET',
    'GET ',
    ' GET',
    'G"ET',
    'CONNECT',
    'TRACE',
    'PRI',
    '',
    'GETGETGETGETGETGETGET',
  ];
  const targets = [
    '/{n}',
    '/{n}#x',
    '/{n}%00',
    '/{n}%',
    '/../{n}',
    '//{n}',
    'http://web/{n}',
    'http://other/{n}',
    'https://web/{n}',
    '*',
    '{n}',
    '/{n} x',
    '/{n}\tx',
    '/{n}\\x',
    '/{n}\u0080',
    '/{n}"',
    '?{n}',
    'web:80',
    '/{n}?a b',
  ];
  const separators = ['\r\n', '\n', '\r', '\r\r\n', '\n\r\n', '\0\r\n'];
  const builds: Build[] = [];
  for (const version of versions) builds.push((name) => `GET /${name} ${version}\r\nHost: web\r\n\r\n${inner(name)}`);
  for (const method of methods) builds.push((name) => `${method} /${name} HTTP/1.1\r\nHost: web\r\n\r\n${inner(name)}`);
  for (const target of targets)
    for (const method of ['GET', 'POST', 'OPTIONS'])
      builds.push(
        (name) => `${method} ${target.replace('{n}', name)} HTTP/1.1\r\nHost: web\r\nContent-Length: 0\r\n\r\n`,
      );
  for (const separator of separators) {
    builds.push((name) => `GET /${name} HTTP/1.1${separator}Host: web\r\n\r\n${inner(name)}`);
    builds.push((name) => `GET /${name} HTTP/1.1\r\nHost: web${separator}\r\n${inner(name)}`);
    builds.push((name) => `GET /${name} HTTP/1.1\r\nHost: web\r\nX: y${separator}Z: w\r\n\r\n`);
    builds.push((name) => `GET /${name} HTTP/1.1\r\nHost: web\r\nX: y\r\n${separator}${inner(name)}`);
  }
  return builds;
}

function fields(): Build[] {
  const hosts = [
    'web',
    '',
    'web, other',
    'web other',
    'a@web',
    'web:80',
    'web:',
    'web:x',
    'web:99999',
    'web.',
    'WEB',
    '[::1]',
    'web/x',
    'web?x',
    'web#x',
    'web\\x',
    'web\u0080',
    "web'",
    'web%20',
  ];
  const odd = [
    'X : y',
    ' X: y',
    '\tX: y',
    'X\t: y',
    ': y',
    'X',
    'X:',
    'X:y',
    'X: \u0080',
    'X: \0',
    'X: \u007f',
    'X_Y: z',
    'X.Y: z',
    'X(: z',
    'X: y\r\n z',
    'X: y\r\n\tz',
    'Connection: close, content-length',
    'Connection: transfer-encoding',
    'Connection: host',
    'Connection: x-forwarded-client-cert',
    'Upgrade: h2c\r\nConnection: upgrade\r\nHTTP2-Settings: x',
    'Upgrade: websocket\r\nConnection: upgrade',
    'Expect: 100-continue',
    'Expect: 200-ok',
    'TE: trailers',
    'Trailer: Content-Length',
    'Proxy-Connection: close',
    'Keep-Alive: timeout=1',
    'Max-Forwards: 0',
  ];
  const builds: Build[] = [];
  for (const host of hosts) {
    builds.push((name) => `GET /${name} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    builds.push((name) => `GET /${name} HTTP/1.1\r\nHost: web\r\nHost: ${host}\r\n\r\n`);
    builds.push((name) => `GET http://web/${name} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  }
  for (const line of odd) {
    builds.push((name) => `GET /${name} HTTP/1.1\r\nHost: web\r\n${line}\r\n\r\n${inner(name)}`);
    builds.push(post(`${line}\r\nContent-Length: 4\r\n`, 'body{inner}'));
    builds.push(post(`Content-Length: 4\r\n${line}\r\n`, 'body{inner}'));
    builds.push(post(`${line}\r\nTransfer-Encoding: chunked\r\n`, `${CHUNKED_BODY}{inner}`));
    for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS'])
      builds.push(
        (name) =>
          `${method} /${name} HTTP/1.1\r\nHost: web\r\n${line}\r\nContent-Length: ${inner(name).length}\r\n\r\n${inner(name)}`,
      );
  }
  for (const count of [99, 100, 101, 1_100])
    builds.push(
      (name) =>
        `GET /${name} HTTP/1.1\r\nHost: web\r\n${'a:\r\n'.repeat(count - 1)}Content-Length: ${inner(name).length}\r\n\r\n${inner(name)}`,
    );
  builds.push(() => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  builds.push(() => '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003');
  return builds;
}

/** Every message of the corpus, each with a path of its own. */
export function corpus(): OddMessage[] {
  const groups = { transferEncodings, framings, chunks, lines, fields };
  let n = 0;
  return Object.entries(groups).flatMap(([group, builds]) =>
    builds().map((build) => {
      const name = `m${n++}`;
      return { group, name, bytes: build(name) };
    }),
  );
}

/** A message composed by chance: one in five is well formed. */
export function composed(chance: Chance, name: string): OddMessage {
  const valid = chance.below(5) === 0;
  const method = chance.of(['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE', 'PATCH']);
  if (valid) {
    const chunked = chance.below(2) === 0;
    const body = chunked ? CHUNKED_BODY : 'body';
    const framing = chunked ? 'Transfer-Encoding: chunked' : 'Content-Length: 4';
    return { group: 'valid', name, bytes: `${method} /${name} HTTP/1.1\r\nHost: web\r\n${framing}\r\n\r\n${body}` };
  }
  const field = (): string =>
    chance.of([
      `Content-Length: ${chance.of(LENGTHS)}`,
      `Transfer-Encoding: ${chance.of(CODINGS)}`,
      `Content-Length${chance.of([' ', '\t', '\0', ''])}:${chance.of(['', ' ', '\t', '\r\n '])}4`,
      `X: y${chance.of(['\n', '\r', '\0', '\r\n\r', ''])}Transfer-Encoding: chunked`,
      `Connection: ${chance.of(['close', 'keep-alive', 'content-length', 'transfer-encoding, close', 'upgrade'])}`,
      'Expect: 100-continue',
      'Upgrade: websocket',
      'Host: other',
      'X_Y: z',
    ]);
  const all = Array.from({ length: chance.below(4) }, field).map((line) => `${line}\r\n`);
  const size = chance.of(SIZES);
  const body = chance.of([
    '',
    'body',
    inner(name),
    CHUNKED_BODY,
    `${size}\r\nbody\r\n0\r\n\r\n${inner(name)}`,
    `0\r\n\r\n${inner(name)}`,
  ]);
  const end = chance.of(['\r\n', '\r\n', '\r\n', '\n', '\r\r\n']);
  return { group: 'composed', name, bytes: `${method} /${name} HTTP/1.1\r\nHost: web\r\n${all.join('')}${end}${body}` };
}
