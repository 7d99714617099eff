/**
 * Messages that were, or could be, read in two ways, by group (security rules, P1). Each is made for an id that stands in
 * every request of it: `/m<id>` is the message, `/i<id>` what it would smuggle, `/n<id>` what honestly follows.
 */
export interface Case {
  readonly group: string;
  readonly name: string;
  readonly text: (id: string) => string;
  /** `refused`: no back end may see any of it. `taken`: a back end sees `/m<id>`, and no `/i<id>`. */
  readonly verdict: 'refused' | 'taken';
  /** Of the refusal, where the rules name it. */
  readonly status?: number;
  /** As which the target must be forwarded. */
  readonly target?: (id: string) => string;
  /** As which the host must be forwarded. */
  readonly host?: string;
}

type Given = Pick<Case, 'name' | 'verdict'> & Partial<Case>;
type Fields = string | ((id: string) => string);

const HOST = 'Host: web\r\n';
const END = 'Connection: close\r\n';
const inner = (id: string): string => `GET /i${id} HTTP/1.1\r\n${HOST}\r\n`;
const smuggler = (id: string): string => `0\r\n\r\n${inner(id)}`;
const bytes = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const byteName = (byte: number): string => `%${byte.toString(16).padStart(2, '0')}`;
const ALL_BYTES = bytes(0, 255);
const isName = (byte: number): boolean => /[!#$%&'*+.^`|~0-9A-Za-z-]/.test(String.fromCharCode(byte));
const isValue = (byte: number): boolean => byte === 9 || (byte >= 32 && byte < 127);

/** A POST with these fields behind Host, and this behind its head. */
function post(fields: Fields, body: (id: string) => string = smuggler): Case['text'] {
  return (id) => `POST /m${id} HTTP/1.1\r\n${HOST}${typeof fields === 'string' ? fields : fields(id)}\r\n${body(id)}`;
}

function get(fields: Fields, line: (id: string) => string = (id) => `GET /m${id} HTTP/1.1`): Case['text'] {
  return (id) => `${line(id)}\r\n${typeof fields === 'string' ? fields : fields(id)}\r\n`;
}

/** One byte put into `Transfer-Encoding: chunked` beside a length: six places, every byte. */
function codingMutations(): Given[] {
  const places = [
    (b: string) => `${b}Transfer-Encoding: chunked`,
    (b: string) => `Transfer${b}-Encoding: chunked`,
    (b: string) => `Transfer-Encoding${b}: chunked`,
    (b: string) => `Transfer-Encoding:${b}chunked`,
    (b: string) => `Transfer-Encoding: chun${b}ked`,
    (b: string) => `Transfer-Encoding: chunked${b}`,
  ];
  return places.flatMap((place, n) =>
    ALL_BYTES.map((byte) => {
      const line = place(String.fromCharCode(byte));
      // Another name than the one that frames: nothing but a field, and the length says where the message ends.
      const inert = n < 3 && (isName(byte) || (n === 1 && byte === 58));
      return {
        name: `${n} ${byteName(byte)}`,
        verdict: inert ? 'taken' : 'refused',
        text: post((id) => `Content-Length: ${smuggler(id).length}\r\n${line}\r\n`),
      };
    }),
  );
}

function lengthMutations(): Given[] {
  const places = [
    (b: string) => `Content${b}-Length: 4`,
    (b: string) => `Content-Length${b}: 4`,
    (b: string) => `Content-Length:${b}4`,
    (b: string) => `Content-Length: 4${b}`,
  ];
  return places.flatMap((place, n) =>
    ALL_BYTES.map((byte) => {
      const inert = n < 2 && (isName(byte) || (n === 0 && byte === 58));
      const blank = n >= 2 && (byte === 32 || byte === 9);
      const digit = n >= 2 && byte >= 48 && byte <= 57;
      return {
        name: `${n} ${byteName(byte)}`,
        verdict: inert || blank || digit ? 'taken' : 'refused',
        // Forty-nine bytes are enough for every length that one more digit makes.
        text: post(`${place(String.fromCharCode(byte))}\r\n${END}`, () => (inert ? '' : 'x'.repeat(100))),
      };
    }),
  );
}

const LENGTHS = ['0', '4', '5', '6', '49', '004', '4 ', ' 4'];
const BAD_LENGTHS = [
  '',
  '+4',
  '-4',
  '-0',
  '4,4',
  '4, 4',
  '4,',
  ',4',
  '4;4',
  '4 4',
  '0x4',
  '4.0',
  '4e0',
  '1_0',
  '4\t4',
  '"4"',
  "'4'",
  '4L',
  '0b1',
  '0o4',
  '\xb2',
  '\xa04',
  'four',
  'NaN',
  'Infinity',
  '9'.repeat(16),
  '9'.repeat(400),
  '18446744073709551620',
  `${'0'.repeat(20)}4`,
  '\x0b4',
  '4\x00',
  '4\x7f',
  '(4)',
  '4/2',
  '=4',
  '%34',
  '4\r\n 4',
  '4\r\n\t4',
];
const CODINGS = ['chunked', 'Chunked', 'CHUNKED', 'chunked ', '\tchunked', 'chunked\t'];
const BAD_CODINGS = [
  '',
  'identity',
  'gzip',
  'xchunked',
  'chunkedx',
  'chunk',
  'chunked,',
  ',chunked',
  ', chunked',
  'chunked, chunked',
  'identity, chunked',
  'chunked, identity',
  'gzip, chunked',
  'gzip,chunked',
  'chunked;q=1',
  'chunked; a=b',
  'chunked; a',
  '"chunked"',
  "'chunked'",
  'chunked chunked',
  'chunked\0',
  '\0chunked',
  '\x0bchunked',
  '\x0cchunked',
  'chunked\x7f',
  '\xffchunked',
  'chun\xadked',
  'chunked\x80',
  '%63hunked',
  'chunked\r\n ',
  'chunked\r\n ,identity',
  ' \r\n chunked',
  'x\r\n chunked',
  'cow',
  'nothing, chunked',
  'chunked-encoding',
  'x-chunked',
  'deflate, gzip, chunked',
  'chunked, cow',
  'chunked/1',
  '[chunked]',
  'chunked\r, identity',
  'identity\rchunked',
  'compress',
  'trailers',
];

function pairs(): Given[] {
  const both = LENGTHS.flatMap((length) =>
    [...CODINGS, ...BAD_CODINGS].map(
      (coding) => [`Content-Length: ${length}`, `Transfer-Encoding: ${coding}`] as const,
    ),
  );
  const refused = (name: string, fields: string, more: Partial<Case> = {}): Given => ({
    name,
    verdict: 'refused',
    text: post(`${fields}\r\n`),
    ...more,
  });
  return [
    ...both.map(([a, b]) => refused(`CL then TE ${JSON.stringify(b)} ${a}`, `${a}\r\n${b}`)),
    ...both.map(([a, b]) => refused(`TE then CL ${JSON.stringify(b)} ${a}`, `${b}\r\n${a}`)),
    ...LENGTHS.flatMap((a) =>
      LENGTHS.map((b) => refused(`CL ${a} CL ${b}`, `Content-Length: ${a}\r\nContent-Length: ${b}`, { status: 400 })),
    ),
    ...CODINGS.flatMap((a) =>
      [...CODINGS, ...BAD_CODINGS].map((b) =>
        refused(
          `TE ${JSON.stringify(a)} TE ${JSON.stringify(b)}`,
          `Transfer-Encoding: ${a}\r\nTransfer-Encoding: ${b}`,
        ),
      ),
    ),
    ...BAD_CODINGS.map((coding) => refused(`TE ${JSON.stringify(coding)}`, `Transfer-Encoding: ${coding}`)),
    ...BAD_LENGTHS.map((length) =>
      refused(`CL ${JSON.stringify(length.slice(0, 30))}`, `Content-Length: ${length}`, { status: 400 }),
    ),
    ...CODINGS.map(
      (coding): Given => ({
        name: `TE ${JSON.stringify(coding)} alone`,
        verdict: 'taken',
        text: post(`Transfer-Encoding: ${coding}\r\n${END}`, () => '4\r\nbody\r\n0\r\n\r\n'),
      }),
    ),
  ];
}

const SIZES = [
  '',
  ' ',
  '+4',
  '-4',
  '0x4',
  '0X4',
  '4 ',
  ' 4',
  '4\t',
  '\t4',
  '4\0',
  '\x004',
  '4,4',
  '4;\n',
  '4;a\n',
  '4;a=b\r',
  '4\r',
  '4\n',
  '\n4',
  'g',
  '4g',
  '4h',
  '4.0',
  '4_',
  '_4',
  '"4"',
  '4:',
  '4\x0b',
  '4\x0c',
  '\xa04',
  '4\xa0',
  '4\x85',
  '10000000000000000',
  '100000000000004',
  `${'f'.repeat(16)}4`,
  `${'0'.repeat(13)}4`,
  '-0',
  '0x',
  '%34',
  '4\r\r',
  '4\n\r',
  '4\r\n\r\n',
  '4;\x00',
  '4;a\x7f',
  '4;a\xff',
  '4;a="\r\n"',
  '4 ;a',
  '4\t;a',
  ';4',
  ';a=b',
];
const GOOD_SIZES = [
  '4',
  '04',
  '0004',
  '000000000004',
  '4;',
  '4;a',
  '4;a=b',
  '4;a="b"',
  '4; a = b',
  '4;;',
  '4;\ta',
  `4;${'x'.repeat(1000)}`,
];

function chunks(): Given[] {
  const chunked = (body: (id: string) => string) => post(`Transfer-Encoding: chunked\r\n`, body);
  const refused = (name: string, body: (id: string) => string): Given => ({
    name,
    verdict: 'refused',
    status: 400,
    text: chunked(body),
  });
  return [
    ...SIZES.map((size) =>
      refused(`size ${JSON.stringify(size.slice(0, 20))}`, (id) => `${size}\r\nbody\r\n0\r\n\r\n${inner(id)}`),
    ),
    ...SIZES.filter((size) => !/4/.test(size) || /^[ +\t-]/.test(size)).map((size) =>
      refused(
        `second size ${JSON.stringify(size.slice(0, 20))}`,
        (id) => `4\r\nbody\r\n${size}\r\nbody\r\n0\r\n\r\n${inner(id)}`,
      ),
    ),
    ...GOOD_SIZES.map(
      (size): Given => ({
        name: `size ${JSON.stringify(size.slice(0, 20))}`,
        verdict: 'taken',
        text: post(`Transfer-Encoding: chunked\r\n${END}`, () => `${size}\r\nbody\r\n0\r\n\r\n`),
      }),
    ),
    ...['\n', '\r', 'X\r\n', '\r\r\n', ' \r\n', '\n\n', '\r\nX', '\0\0', 'XX'].map((end) =>
      refused(`end of data ${JSON.stringify(end)}`, (id) => `4\r\nbody${end}0\r\n\r\n${inner(id)}`),
    ),
    ...[
      '0\n\n',
      '0\n\r\n',
      '0\r\n\n',
      '0\r\rX',
      '00 \r\n\r\n',
      '0;\n\r\n',
      '0\r\n\rX',
      '0x0\r\n\r\n',
      '-0\r\n\r\n',
      '0\r\n \r\n\r\n',
    ].map((last) => refused(`last chunk ${JSON.stringify(last)}`, (id) => `4\r\nbody\r\n${last}${inner(id)}\r\n\r\n`)),
    ...[
      'Content-Length: 4',
      'Transfer-Encoding: chunked',
      'Host: evil',
      'X : 1',
      ' X: 1',
      'X: 1\r\n 2',
      'X: \0',
      'X: 1\nY: 2',
      ': 1',
      'X',
      'X\xff: 1',
      'content-length: 0',
      'X: \x7f',
      'X(): 1',
    ].map((trailer) =>
      refused(`trailer ${JSON.stringify(trailer)}`, (id) => `4\r\nbody\r\n0\r\n${trailer}\r\n\r\n${inner(id)}`),
    ),
    ...[
      'X-Sum: 1',
      'X-Mesh-Source: admin',
      'X_Mesh_Source: admin',
      'X.Mesh.Source: admin',
      'Authorization: x',
      'Cookie: a=b',
      'Connection: close',
      'Trailer: x',
      'X-Forwarded-For: 1.2.3.4',
      'Forwarded: for=1',
      'Content-Type: text/html',
      'Keep-Alive: 1',
      'TE: trailers',
      'Upgrade: h2c',
      'Expect: 100-continue',
      'Set-Cookie: a=b',
      'Content-Encoding: gzip',
      'X-Request-Id: forged',
      'traceparent: 00-0-0-0',
    ].map(
      (trailer): Given => ({
        name: `trailer ${trailer}`,
        verdict: 'taken',
        text: post(`Transfer-Encoding: chunked\r\n${END}`, () => `4\r\nbody\r\n0\r\n${trailer}\r\n\r\n`),
      }),
    ),
    refused('a hundred and one trailers', (id) => `0\r\n${'X: 1\r\n'.repeat(101)}\r\n${inner(id)}`),
    refused('trailers over 16 KiB', (id) => `0\r\n${`X: ${'x'.repeat(1_000)}\r\n`.repeat(20)}\r\n${inner(id)}`),
    refused('extensions over 4 KiB', (id) => `4;${'x'.repeat(5_000)}\r\nbody\r\n0\r\n\r\n${inner(id)}`),
    refused('many small extensions', (id) => `${'1;xxxxxxx\r\nb\r\n'.repeat(600)}0\r\n\r\n${inner(id)}`),
  ];
}

const VERSIONS: readonly (readonly [string, number])[] = [
  ['HTTP/0.9', 505],
  ['HTTP/1.0', 426],
  ['HTTP/2.0', 505],
  ['HTTP/3.0', 505],
  ['HTTP/9.9', 505],
  ['HTTP/1.2', 400],
  ['HTTP/1.11', 400],
  ['HTTP/01.1', 400],
  ['HTTP/1.01', 400],
  ['HTTP/11', 400],
  ['HTTP/1', 400],
  ['HTTP/1.', 400],
  ['HTTP/.1', 400],
  ['HTTP/', 400],
  ['HTTP', 400],
  ['http/1.1', 400],
  ['Http/1.1', 400],
  ['HTTPS/1.1', 400],
  ['HTTP/1,1', 400],
  ['HTTP /1.1', 400],
  ['HTTP/ 1.1', 400],
  ['HTTP/1. 1', 400],
  ['HTTP/1.1 ', 400],
  ['HTTP/1.1\t', 400],
  ['HTTP/1.1x', 400],
  ['HTTP/+1.1', 400],
  ['HTTP/1.-1', 400],
  ['HTTP/1.1\0', 400],
  ['ICY', 400],
  ['RTSP/1.0', 400],
  ['SIP/2.0', 400],
  ['', 400],
  ['HTTP/2', 400],
  ['HTTP/1.1 HTTP/1.1', 400],
  ['HTTP/1.1;a', 400],
  ['HTTP/1.1\r', 400],
  ['HTTP/4294967297.1', 400],
];

function requestLines(): Given[] {
  const bad = (name: string, line: (id: string) => string, status = 400): Given => ({
    name,
    verdict: 'refused',
    status,
    text: get(HOST, line),
  });
  return [
    ...VERSIONS.map(([version, status]) =>
      bad(`version ${JSON.stringify(version)}`, (id) => `GET /m${id} ${version}`, status),
    ),
    ...['\t', '\x0b', '\x0c', '\r', '\0', '  ', ' \t', '\xa0', '\x85', '\n', ''].flatMap((blank) => [
      bad(`first blank ${JSON.stringify(blank)}`, (id) => `GET${blank}/m${id} HTTP/1.1`),
      bad(`second blank ${JSON.stringify(blank)}`, (id) => `GET /m${id}${blank}HTTP/1.1`),
      ...(blank === '' ? [] : [bad(`blank before ${JSON.stringify(blank)}`, (id) => `${blank}GET /m${id} HTTP/1.1`)]),
    ]),
    bad('no target', () => 'GET  HTTP/1.1'),
    bad('no method', (id) => ` /m${id} HTTP/1.1`),
    bad('only a method', () => 'GET'),
    bad('HTTP/0.9 simple', (id) => `GET /m${id}`),
    ...[
      'get',
      'Get',
      'gET',
      'GET,POST',
      'G\0ET',
      'GE T',
      'GET:',
      '(GET)',
      'GÉT',
      'FOO',
      'PRI',
      'GETT',
      'X'.repeat(16),
      'X'.repeat(17),
      'X'.repeat(5_000),
      'M-SEARCH',
      'SSTP_DUPLEX_POST',
      'toString',
      '__proto__',
      'DEBUG',
      'TRACK',
      'MOVE',
    ].map((method) => bad(`method ${method.slice(0, 20)}`, (id) => `${method} /m${id} HTTP/1.1`)),
    ...['CONNECT', 'TRACE'].map((method) => bad(method, (id) => `${method} /m${id} HTTP/1.1`, 405)),
    ...['other:443', 'web:80', '/', '*', 'web', 'http://web/', '[::1]:80'].map((target) =>
      bad(`CONNECT ${target}`, () => `CONNECT ${target} HTTP/1.1`, 405),
    ),
    ...[
      'GET',
      'HEAD',
      'POST',
      'PUT',
      'DELETE',
      'OPTIONS',
      'PATCH',
      'PROPFIND',
      'REPORT',
      'SEARCH',
      'QUERY',
      'LINK',
      'UNLINK',
      'PURGE',
    ].map(
      (method): Given => ({
        name: `method ${method}`,
        verdict: 'taken',
        text: get(HOST + END, (id) => `${method} /m${id} HTTP/1.1`),
      }),
    ),
    { name: 'empty line before', verdict: 'taken', text: (id) => `\r\n${get(HOST + END)(id)}` },
    { name: 'two empty lines before', verdict: 'refused', status: 400, text: (id) => `\r\n\r\n${get(HOST)(id)}` },
    { name: 'bare LF before', verdict: 'refused', status: 400, text: (id) => `\n${get(HOST)(id)}` },
    { name: 'bare CR before', verdict: 'refused', status: 400, text: (id) => `\r${get(HOST)(id)}` },
    { name: 'byte order mark before', verdict: 'refused', status: 400, text: (id) => `\xef\xbb\xbf${get(HOST)(id)}` },
    {
      name: 'a PROXY line before',
      verdict: 'refused',
      status: 400,
      text: (id) => `PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n${get(HOST)(id)}`,
    },
  ];
}

/** Every byte, raw and escaped, at four places of a path; and paths that were read in two ways. */
function targets(): Given[] {
  const raw = (byte: number): boolean => byte > 32 && byte < 127 && !'#\\"<>`'.includes(String.fromCharCode(byte));
  const places: readonly ((id: string, text: string) => string)[] = [
    (id, text) => `/${text}m${id}`,
    (id, text) => `/m${id}/a${text}b`,
    (id, text) => `/m${id}/a/${text}/b`,
    (id, text) => `/m${id}/a${text}`,
  ];
  const line = (target: (id: string) => string): Case['text'] => get(HOST + END, (id) => `GET ${target(id)} HTTP/1.1`);
  const rawBytes = ALL_BYTES.flatMap((byte) =>
    places.map((place, n): Given => {
      const taken = raw(byte) && !(byte === 37);
      return {
        name: `raw ${n} ${byteName(byte)}`,
        verdict: taken ? 'taken' : 'refused',
        text: line((id) => place(id, String.fromCharCode(byte))),
      };
    }),
  );
  const escapes = ALL_BYTES.flatMap((byte) =>
    places.map(
      (place, n): Given => ({
        name: `escaped ${n} ${byteName(byte)}`,
        verdict: byte === 0 ? 'refused' : 'taken',
        text: line((id) => place(id, byteName(byte))),
      }),
    ),
  );
  const given: readonly (readonly [given: string, canonical: string | null])[] = [
    ['/m', '/m'],
    ['//m', '/m'],
    ['///m///b//', '/m/b/'],
    ['/./m', '/m'],
    ['/a/../m', '/m'],
    ['/a/./../m', '/m'],
    ['/%2e/m', '/m'],
    ['/a/%2e%2e/m', '/m'],
    ['/a/.%2e/m', '/m'],
    ['/a/%2E./m', '/m'],
    ['/m/.', '/m/'],
    ['/m/b/..', '/m/'],
    ['/m/b/../', '/m/'],
    ['/m/b/.', '/m/b/'],
    ['/m/%7e', '/m/~'],
    ['/m/%7E%41', '/m/~A'],
    ['/m/%252e%252e/', '/m/%252e%252e/'],
    ['/m/..;/b', null],
    ['/m/.../b', '/m/.../b'],
    ['/m/%c0%ae', '/m/%C0%AE'],
    ['/m%2fb', '/m/b'],
    ['/m%2Fb', '/m/b'],
    ['/m%5cb', '/m/b'],
    ['/m%5C..%5Cm', '/m'],
    ['/m%2f%2fb', '/m/b'],
    ['/m/%2e%2e%2fm', '/m'],
    ['/m;a=b', '/m;a=b'],
    ['/m;/../m', '/m'],
    ['/m?', '/m?'],
    ['/m?a=b', '/m?a=b'],
    ['/m?/../b', '/m?/../b'],
    ['/m?%zz%00', '/m?%zz%00'],
    ['/m??', '/m??'],
    ['/m?a?b', '/m?a?b'],
    ['/m?//', '/m?//'],
    ['/a//../m', '/a/m'],
    ['//../m', '/m'],
    ['/m%3fb', '/m%3Fb'],
    ['/m%23b', '/m%23b'],
    ['/m%20b', '/m%20b'],
    ['/m%0d%0aX:1', '/m%0D%0AX:1'],
    ['/m/%2', null],
    ['/m/%', null],
    ['/m/%a', null],
    ['/m/%zz', null],
    ['/m/%00', null],
    ['/m/%u002f', null],
    ['/..', null],
    ['/../m', null],
    ['/m/../..', null],
    ['/m/../../b', null],
    ['/%2e%2e/m', null],
    ['/..%2fm', null],
    ['/..%5cm', null],
    ['/m/..%2f..%2f..', null],
    ['/m#', null],
    ['/m#b', null],
    ['/m?#b', null],
    ['/m\\b', null],
    ['\\m', null],
    ['m', null],
    ['./m', null],
    ['../m', null],
    ['*', null],
    ['*m', null],
    ['?m', null],
    ['#m', null],
    ['%2fm', null],
    ['//', '/'],
    ['/', '/'],
    ['http://web', '/'],
    ['http://web/', '/'],
    ['http://web/m', '/m'],
    ['HTTP://web/m', '/m'],
    ['http://WEB/m', '/m'],
    ['http://web:80/m', '/m'],
    ['http://web./m', '/m'],
    ['http://web?m', '/?m'],
    ['http://web/a/../m', '/m'],
    ['http://web//m', '/m'],
    ['http://web/m?x=http://evil/', '/m?x=http://evil/'],
    ['http://evil/m', null],
    ['http://web@evil/m', null],
    ['http://evil@web/m', null],
    ['http://web:81/m', null],
    ['http://web:/m', null],
    ['http://web:080/m', '/m'],
    ['http:///m', null],
    ['http://', null],
    ['http:/m', null],
    ['http:m', null],
    ['http://web\\m', null],
    ['http://web#m', null],
    ['https://web/m', null],
    ['ftp://web/m', null],
    ['ws://web/m', null],
    ['//web/m', '/web/m'],
    ['web/m', null],
    ['web:80/m', null],
    ['http://web,evil/m', null],
    ['http://[::1]/m', null],
    ['http://web%2fevil/m', null],
    ['http://web /m', null],
    ['http://we%62/m', null],
    ['javascript:m', null],
    ['http://web/../m', null],
    ['about:m', null],
  ];
  const marked = (text: string, id: string): string => text.replaceAll('m', `m${id}`);
  return [
    ...rawBytes,
    ...escapes,
    ...given.map(
      ([from, to]): Given => ({
        name: `target ${from}`,
        verdict: to === null ? 'refused' : 'taken',
        ...(to === null ? { status: 400 } : { target: (id: string) => marked(to, id) }),
        text: line((id) => marked(from, id)),
      }),
    ),
    {
      name: 'OPTIONS *',
      verdict: 'taken',
      status: 404,
      target: () => '*',
      text: get(HOST + END, () => 'OPTIONS * HTTP/1.1'),
    },
    { name: 'a target of 8 KiB', verdict: 'taken', text: line((id) => `/m${id}/${'a'.repeat(8_000)}`) },
    {
      name: 'a target beyond 8 KiB',
      verdict: 'refused',
      status: 414,
      text: line((id) => `/m${id}/${'a'.repeat(8_200)}`),
    },
    {
      name: 'a target beyond 16 KiB',
      verdict: 'refused',
      status: 414,
      text: line((id) => `/m${id}/${'a'.repeat(17_000)}`),
    },
    {
      name: 'a target beyond 64 KiB',
      verdict: 'refused',
      status: 414,
      text: line((id) => `/m${id}/${'a'.repeat(70_000)}`),
    },
  ];
}

function hosts(): Given[] {
  const given: readonly (readonly [given: string, canonical: string | null])[] = [
    ['web', 'web'],
    ['WEB', 'web'],
    ['Web.', 'web'],
    ['web:80', 'web:80'],
    ['web:080', 'web:80'],
    ['web.:80', 'web:80'],
    ['web:65535', 'web:65535'],
    [' web ', 'web'],
    ['\tweb\t', 'web'],
    ['secret.svc', 'secret.svc'],
    ['SECRET.svc.', 'secret.svc'],
    ['a-b.c_d', 'a-b.c_d'],
    ['127.0.0.1', '127.0.0.1'],
    ['[::1]', '[::1]'],
    ['[::1]:80', '[::1]:80'],
    ['[::FFFF:1.2.3.4]', '[::ffff:1.2.3.4]'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['', null],
    [' ', null],
    ['web,evil', null],
    ['web, evil', null],
    ['web evil', null],
    ['web\tevil', null],
    ['good@evil', null],
    ['@web', null],
    ['web@', null],
    ['web:', null],
    ['web:0', null],
    ['web:65536', null],
    ['web:99999', null],
    ['web:999999', null],
    ['web:80:80', null],
    ['web:+80', null],
    ['web:-80', null],
    ['web:8 0', null],
    ['web: 80', null],
    ['web :80', null],
    ['web:80x', null],
    ['web:0x50', null],
    [':80', null],
    ['.', null],
    ['..', null],
    ['.web', null],
    ['web..', null],
    ['-web', null],
    ['web-', null],
    ['web/', null],
    ['web/m', null],
    ['web?', null],
    ['web#m', null],
    ['web\\', null],
    ['http://web', null],
    ['//web', null],
    ['web%00', null],
    ['web%2eevil', null],
    ['we%62', null],
    ['[::1', null],
    ['::1]', null],
    ['[]', null],
    ['[::1].', null],
    ['[::1]x', null],
    ['[::g]', null],
    ['[::1%25eth0]', null],
    ['web;evil', null],
    ['"web"', null],
    ['web\0', null],
    ['web\x7f', null],
    ['web\xff', null],
    ['wéb', null],
    ['web\r\n evil', null],
    ['web\rX: 1', null],
    ['web\nX: 1', null],
    ['*', null],
    ['*.web', null],
    ['$web', null],
    ['{web}', null],
    ['web|evil', null],
    ['web=evil', null],
    ["web'", null],
    ['(web)', null],
    ['web!', null],
    ['web~', null],
    ['web+', null],
    ['_web', null],
  ];
  const refused = (name: string, fields: string): Given => ({
    name,
    verdict: 'refused',
    status: 400,
    text: get(fields),
  });
  const ok = (byte: number): boolean => /[A-Za-z0-9]/.test(String.fromCharCode(byte));
  return [
    ...given.map(
      ([from, to]): Given => ({
        name: `Host ${JSON.stringify(from)}`,
        verdict: to === null ? 'refused' : 'taken',
        ...(to === null ? { status: 400 } : { host: to }),
        text: get(`Host: ${from}\r\n${END}`),
      }),
    ),
    ...ALL_BYTES.flatMap((byte) => [
      {
        name: `first ${byteName(byte)}`,
        verdict: ok(byte) || byte === 32 || byte === 9 ? 'taken' : 'refused',
        text: get(`Host: ${String.fromCharCode(byte)}web\r\n${END}`),
      } as Given,
      {
        name: `inside ${byteName(byte)}`,
        verdict: ok(byte) || [45, 46, 95].includes(byte) ? 'taken' : 'refused',
        text: get(`Host: w${String.fromCharCode(byte)}eb\r\n${END}`),
      } as Given,
      {
        name: `last ${byteName(byte)}`,
        verdict: ok(byte) || [46, 32, 9].includes(byte) ? 'taken' : 'refused',
        text: get(`Host: web${String.fromCharCode(byte)}\r\n${END}`),
      } as Given,
    ]),
    refused('none', ''),
    refused('twice', `${HOST}${HOST}`),
    refused('twice, different', `${HOST}Host: evil\r\n`),
    refused('twice, far apart', `${HOST}${'X: 1\r\n'.repeat(50)}Host: evil\r\n`),
    refused('twice, in other case', `${HOST}hOST: web\r\n`),
    refused('empty and another', `Host:\r\n${HOST}`),
    refused('blank before', ` ${HOST}`),
    refused('blank before the colon', 'Host : web\r\n'),
    refused('tab before the colon', 'Host\t: web\r\n'),
    refused('folded', 'Host:\r\n web\r\n'),
    refused('folded onto another', `X: 1\r\n ${HOST}`),
    refused('no colon', 'Host web\r\n'),
    refused('as a trailer of the request line', `X: 1\r\n\r\n${HOST}`),
  ];
}

/** Names and values of fields, byte by byte, and the lines that they stand in. */
function lines(): Given[] {
  const verdict = (taken: boolean): Case['verdict'] => (taken ? 'taken' : 'refused');
  const line = (text: string) => get(`${HOST}${text}\r\n${END}`);
  const names = ALL_BYTES.flatMap((byte) => {
    const character = String.fromCharCode(byte);
    const taken = isName(byte);
    return [
      {
        name: `name first ${byteName(byte)}`,
        verdict: verdict(taken),
        text: line(`${character}ab: 1`),
      },
      {
        name: `name inside ${byteName(byte)}`,
        verdict: verdict(taken || byte === 58),
        text: line(`a${character}b: 1`),
      },
      { name: `name last ${byteName(byte)}`, verdict: verdict(taken || byte === 58), text: line(`ab${character}: 1`) },
      { name: `value ${byteName(byte)}`, verdict: verdict(isValue(byte)), text: line(`X: a${character}b`) },
      { name: `value first ${byteName(byte)}`, verdict: verdict(isValue(byte)), text: line(`X:${character}b`) },
      { name: `value last ${byteName(byte)}`, verdict: verdict(isValue(byte)), text: line(`X: b${character}`) },
    ] as Given[];
  });
  const refused = (name: string, text: Case['text'], status = 400): Given => ({
    name,
    verdict: 'refused',
    status,
    text,
  });
  return [
    ...names,
    ...[' 2', '\t2', '  ', ' ', '\t', ' Host: evil', ' Transfer-Encoding: chunked', '\x0b2', '\x0c2', '\xa02'].map(
      (fold) => refused(`obs-fold ${JSON.stringify(fold)}`, line(`X: 1\r\n${fold}`)),
    ),
    refused('fold of the first line', get(` X: 1\r\n${HOST}`)),
    ...['\n', '\r', '\n\r', '\r\r\n', '\r\n\r', '\0\r\n', '\x0b\r\n', '\r\0\n'].flatMap((end) => [
      refused(
        `line end ${JSON.stringify(end)}`,
        (id) => `GET /m${id} HTTP/1.1\r\nHost: web${end}X: 1\r\n\r\n${inner(id)}`,
      ),
      refused(
        `end of the request line ${JSON.stringify(end)}`,
        (id) => `GET /m${id} HTTP/1.1${end}Host: web\r\n\r\n${inner(id)}`,
      ),
    ]),
    ...['\n\n', '\r\n\n', '\n\r\n', '\r\r', '\r\n\rX', '\r\n \r\n', '\r\n\t\r\n', '\r\n\0\r\n', '\n\r'].map((end) =>
      refused(`end of head ${JSON.stringify(end)}`, (id) => `GET /m${id} HTTP/1.1\r\nHost: web${end}${inner(id)}`),
    ),
    ...[
      'X',
      ':',
      ': 1',
      ' : 1',
      ':: 1',
      '=1',
      'X=1',
      '{}',
      '"X": 1',
      'X;: 1',
      'X,Y: 1',
      'X\0: 1',
      '[X]: 1',
      'X/Y: 1',
      '@: 1',
      '\\: 1',
      '(X): 1',
      'X Y: 1',
      'GET / HTTP/1.1',
      '--',
      '\x7f: 1',
    ].map((text) => refused(`line ${JSON.stringify(text)}`, line(text))),
    ...[
      'Content-Length',
      'Transfer-Encoding',
      'Host',
      'Connection',
      'X-Forwarded-For',
      'X-Forwarded-Client-Cert',
      'X-Mesh-Source',
      'X-Envoy-Internal',
      'X-Request-Id',
      'X-Real-Ip',
      'Authorization',
      'Proxy-Authorization',
      'Keep-Alive',
      'Trace-Parent',
    ].flatMap((name): Given[] => [
      ...(name.includes('-') ? ['_', '.', '!', '~', '+', "'", '*', '|', '^', '`', '$', '%', '&', '#'] : []).map(
        (odd): Given => ({
          name: `alias ${name.replaceAll('-', odd)}`,
          verdict: name === 'Trace-Parent' && odd !== '_' ? 'taken' : 'refused',
          text: line(`${name.replaceAll('-', odd)}: 4`),
        }),
      ),
      { name: `blank in ${name}`, verdict: 'refused', status: 400, text: line(`${name} : 4`) },
      { name: `NUL in ${name}`, verdict: 'refused', status: 400, text: line(`${name}\0: 4`) },
      { name: `long s in ${name}`, verdict: 'refused', status: 400, text: line(`${name}\xc5\xbf: 4`) },
    ]),
    ...[
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      'prototype',
      'valueOf',
      '0',
      '-1',
      '4294967295',
      'length',
    ].map(
      (name): Given => ({
        name: `field ${name}`,
        verdict: name.includes('_') ? 'refused' : 'taken',
        text: line(`${name}: 1`),
      }),
    ),
    { name: 'a hundred fields', verdict: 'taken', text: get(HOST + END + 'X: 1\r\n'.repeat(98)) },
    refused('a hundred and one fields', get(HOST + END + 'X: 1\r\n'.repeat(99)), 431),
    refused(
      'eleven hundred short fields and a length (CVE-2026-58044)',
      (id) =>
        `GET /m${id} HTTP/1.1\r\n${HOST}${'a:\r\n'.repeat(1_100)}Content-Length: ${inner(id).length}\r\n\r\n${inner(id)}`,
      431,
    ),
    { name: 'a head of 16 KiB', verdict: 'taken', text: get(`${HOST}${END}X: ${'x'.repeat(16_000)}\r\n`) },
    refused('a head beyond 16 KiB', get(`${HOST}${END}X: ${'x'.repeat(17_000)}\r\n`), 431),
    refused('a head beyond 64 KiB', get(`${HOST}${END}${`X: ${'x'.repeat(7_000)}\r\n`.repeat(12)}`), 431),
    refused('a long name', get(`${HOST}${'x'.repeat(17_000)}: 1\r\n`), 431),
  ];
}

/** Fields of the connection, expectations and upgrades. */
function connections(): Given[] {
  const refused = (name: string, text: Case['text'], status = 400): Given => ({
    name,
    verdict: 'refused',
    status,
    text,
  });
  const taken = (name: string, text: Case['text']): Given => ({ name, verdict: 'taken', text });
  const nominated = [
    'Content-Length',
    'Transfer-Encoding',
    'Host',
    'Authorization',
    'Cookie',
    'X-Forwarded-Client-Cert',
    'X-Forwarded-For',
    'X-Mesh-Source',
    'X-Request-Id',
    'Traceparent',
    'X-Envoy-Internal',
    'X-Own',
    'Keep-Alive',
    'TE',
    'Trailer',
    'Expect',
    'Upgrade',
    'Connection',
    'close',
    '',
    'X-Own;q=1',
    '"X-Own"',
  ];
  const forms = [
    (name: string) => `Connection: ${name}`,
    (name: string) => `Connection: ${name.toUpperCase()}`,
    (name: string) => `Connection: close, ${name}`,
    (name: string) => `Connection:,${name} ,, close`,
    (name: string) => `Connection: a\r\nConnection: ${name}`,
    (name: string) => `connection:\t${name}\t`,
    (name: string) => `Connection: keep-alive,${name},${name}`,
  ];
  return [
    ...nominated.flatMap((name) =>
      forms.flatMap((form) => [
        taken(
          `GET that nominates ${form(name)}`,
          (id) =>
            `GET /m${id} HTTP/1.1\r\n${HOST}${form(name)}\r\nX-Own: 1\r\nAuthorization: x\r\nCookie: c\r\nContent-Length: ${inner(id).length}\r\n\r\n${inner(id)}`,
        ),
        taken(
          `POST that nominates ${form(name)}`,
          (id) =>
            `POST /m${id} HTTP/1.1\r\n${HOST}${form(name)}\r\nX-Own: 1\r\nTransfer-Encoding: chunked\r\n\r\n${inner(id).length.toString(16)}\r\n${inner(id)}\r\n0\r\n\r\n`,
        ),
      ]),
    ),
    ...['200-ok', '100-continue, x', '100', '100-Continue2', 'x', '100-continue;a', ' ,', '100_continue'].map((value) =>
      refused(
        `Expect ${value}`,
        (id) => `POST /m${id} HTTP/1.1\r\n${HOST}Content-Length: 4\r\nExpect: ${value}\r\n\r\nbody`,
        417,
      ),
    ),
    refused(
      'two expectations',
      (id) => `POST /m${id} HTTP/1.1\r\n${HOST}Content-Length: 4\r\nExpect: x\r\nExpect: 100-continue\r\n\r\nbody`,
      417,
    ),
    refused('Expect without a body', (id) => `GET /m${id} HTTP/1.1\r\n${HOST}Expect: 100-continue\r\n\r\n${inner(id)}`),
    refused(
      'Expect with a length of 0 (0.CL)',
      (id) => `POST /m${id} HTTP/1.1\r\n${HOST}Content-Length: 0\r\nExpect: 100-continue\r\n\r\n${inner(id)}`,
    ),
    taken(
      'Expect',
      (id) => `POST /m${id} HTTP/1.1\r\n${HOST}${END}Content-Length: 4\r\nExpect: 100-Continue\r\n\r\nbody`,
    ),
    taken(
      'Expect, chunked',
      (id) =>
        `POST /m${id} HTTP/1.1\r\n${HOST}${END}Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n4\r\nbody\r\n0\r\n\r\n`,
    ),
    ...['websocket', 'WebSocket', 'h2c', 'TLS/1.0', 'HTTP/2.0', 'h2c, websocket', 'x', 'connect-udp', ''].flatMap(
      (protocol) => [
        taken(
          `Upgrade ${protocol}`,
          (id) => `GET /m${id} HTTP/1.1\r\n${HOST}Connection: Upgrade, close\r\nUpgrade: ${protocol}\r\n\r\n`,
        ),
        taken(
          `Upgrade ${protocol} that is not nominated`,
          (id) => `GET /m${id} HTTP/1.1\r\n${HOST}${END}Upgrade: ${protocol}\r\n\r\n`,
        ),
        taken(
          `Upgrade ${protocol} with the next request behind`,
          (id) =>
            `GET /m${id} HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\nGET /n${id} HTTP/1.1\r\n${HOST}${END}\r\n`,
        ),
      ],
    ),
    taken(
      'h2c with settings',
      (id) =>
        `GET /m${id} HTTP/1.1\r\n${HOST}Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n`,
    ),
    ...['Content-Length: 4', 'Transfer-Encoding: chunked'].map((framing) =>
      refused(
        `websocket with ${framing}`,
        (id) =>
          `GET /m${id} HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n${framing}\r\n\r\n0\r\n\r\n${inner(id)}`,
      ),
    ),
    refused(
      'websocket by POST',
      (id) => `POST /m${id} HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n${inner(id)}`,
    ),
    ...['trailers', 'gzip', 'trailers, deflate', 'trailers;q=1', 'x, trailers', 'chunked', ''].map((value) =>
      taken(`TE ${value}`, get(`${HOST}Connection: TE, close\r\nTE: ${value}\r\n`)),
    ),
    ...[
      'Keep-Alive: timeout=5',
      'Proxy-Connection: keep-alive',
      'Proxy-Authorization: x',
      'Proxy-Authenticate: x',
      'Trailer: Content-Length',
      'X-Mesh-Source: admin',
      'X-Envoy-Internal: true',
      'X-Forwarded-Client-Cert: URI=spiffe://x',
      'Max-Forwards: 0',
      'Via: 1.1 x',
      'X-HTTP-Method-Override: DELETE',
      'X-Original-URL: /admin',
      'X-Rewrite-URL: /admin',
    ].map((line) => taken(`field ${line}`, get(`${HOST}${END}${line}\r\n`))),
  ];
}

/** HTTP/2 and other protocols where HTTP/1.1 is expected. */
function otherProtocols(): Given[] {
  const refused = (name: string, text: Case['text'], status: number | null = 400): Given => ({
    name,
    verdict: 'refused',
    ...(status === null ? {} : { status }),
    text,
  });
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
  return [
    refused('h2 preface', () => preface, 505),
    refused('h2 preface with settings', () => `${preface}\0\0\0\x04\0\0\0\0\0`, 505),
    refused('h2 preface with a request behind', (id) => preface + inner(id), 505),
    refused('h2 preface behind an empty line', (id) => `\r\n${preface}${inner(id)}`, 505),
    refused('h2 preface in HTTP/1.1', (id) => `PRI * HTTP/1.1\r\n${HOST}\r\nSM\r\n\r\n${inner(id)}`),
    refused('a TLS hello', () => '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n'),
    refused('SSH', () => 'SSH-2.0-OpenSSH_9.2\r\n\r\n'),
    refused('SMTP', () => 'EHLO web\r\nMAIL FROM:<a@b>\r\n\r\n'),
    refused('memcached', (id) => `set m${id} 0 0 1\r\n1\r\n\r\n`),
    refused('redis', (id) => `*1\r\n$4\r\nm${id}\r\n\r\n`),
    refused('an answer', (id) => `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n${inner(id)}`),
    refused('pseudo-headers', get(`${HOST}:method: GET\r\n:path: /x\r\n`)),
    refused('JSON', () => '{"a": 1}\r\n\r\n'),
    refused('NULs', () => `${'\0'.repeat(100)}\r\n\r\n`),
    refused('bytes above 0x7f', () => `${'\xff'.repeat(100)}\r\n\r\n`),
  ];
}

/** More requests than one, and where they part. */
function sequences(): Given[] {
  const next = (id: string): string => `GET /n${id} HTTP/1.1\r\n${HOST}${END}\r\n`;
  const taken = (name: string, text: Case['text']): Given => ({ name, verdict: 'taken', text });
  const first = [
    ['GET', ''],
    ['GET', 'Content-Length: 0\r\n'],
    ['HEAD', ''],
    ['POST', 'Content-Length: 0\r\n'],
    ['POST', ''],
    ['DELETE', 'Content-Length: 4\r\n'],
    ['GET', 'Content-Length: 4\r\n'],
    ['HEAD', 'Content-Length: 4\r\n'],
    ['OPTIONS', 'Transfer-Encoding: chunked\r\n'],
    ['PUT', 'Transfer-Encoding: chunked\r\n'],
    ['GET', 'Transfer-Encoding: chunked\r\n'],
    ['HEAD', 'Transfer-Encoding: chunked\r\n'],
  ] as const;
  const bodyOf = (fields: string): string =>
    fields.includes('4') ? 'body' : fields.includes('chunked') ? '4\r\nbody\r\n0\r\n\r\n' : '';
  return [
    ...first.flatMap(([method, fields]) =>
      ['', '\r\n'].map((between) =>
        taken(
          `${method} ${fields.trim()} ${JSON.stringify(between)}`,
          (id) => `${method} /m${id} HTTP/1.1\r\n${HOST}${fields}\r\n${bodyOf(fields)}${between}${next(id)}`,
        ),
      ),
    ),
    ...first.flatMap(([method, fields]) =>
      ['\n', '\r', ' ', '\0', 'x', '\r\n\r\n', '0\r\n\r\n', 'GET'].map((between) =>
        taken(
          `${method} ${fields.trim()} then junk ${JSON.stringify(between)}`,
          (id) => `${method} /m${id} HTTP/1.1\r\n${HOST}${fields}\r\n${bodyOf(fields)}${between}${inner(id)}`,
        ),
      ),
    ),
    taken('nothing is read behind close', (id) => `GET /m${id} HTTP/1.1\r\n${HOST}${END}\r\n${inner(id)}`),
    taken('ten, the fifth malformed', (id) =>
      Array.from({ length: 10 }, (_, n) =>
        n < 4
          ? `GET /m${id}/${n} HTTP/1.1\r\n${HOST}\r\n`
          : n === 4
            ? `GET /i${id} HTTP/1.1\r\nHost : web\r\n\r\n`
            : inner(id),
      ).join(''),
    ),
    taken(
      'a length longer than what comes',
      (id) => `GET /m${id} HTTP/1.1\r\n${HOST}\r\nPOST /i${id} HTTP/1.1\r\n${HOST}Content-Length: 1000\r\n\r\nbody`,
    ),
    taken('half a head', (id) => `GET /m${id} HTTP/1.1\r\n${HOST}\r\nGET /i${id} HTTP/1.1\r\nHost: we`),
    taken(
      'a body that looks like a request',
      (id) => `POST /m${id} HTTP/1.1\r\n${HOST}${END}Content-Length: ${inner(id).length}\r\n\r\n${inner(id)}`,
    ),
  ];
}

const GROUPS: Readonly<Record<string, () => Given[]>> = {
  'te-mutation': codingMutations,
  'cl-mutation': lengthMutations,
  pair: pairs,
  chunk: chunks,
  'request-line': requestLines,
  target: targets,
  host: hosts,
  line: lines,
  connection: connections,
  protocol: otherProtocols,
  sequence: sequences,
};

/** All of them. */
export function corpus(): Case[] {
  return Object.entries(GROUPS).flatMap(([group, make]) => make().map((given) => ({ ...given, group }) as Case));
}
