import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/proxy/codec/fields.js';
import { parseRequestHead } from '../../../src/proxy/codec/request-head.js';
import { ProxyError } from '../../../src/proxy/pipeline/proxy-error.js';

const parse = (text: string) => {
  const buffer = Buffer.from(text, 'latin1');
  return parseRequestHead(buffer, 0, buffer.length, DEFAULT_LIMITS);
};
const refused = (text: string): string => {
  try {
    parse(text);
    return 'accepted';
  } catch (error) {
    return error instanceof ProxyError ? error.code : String(error);
  }
};
const get = (fields: string, line = 'GET / HTTP/1.1'): string => `${line}\r\n${fields}\r\n`;
const HOST = 'Host: a\r\n';

describe('request heads that are refused', () => {
  it.each([
    ['no Host', get(''), 'missing_host'],
    ['two Hosts', get('Host: a\r\nHost: a\r\n'), 'missing_host'],
    ['a list of hosts', get('Host: a, b\r\n'), 'missing_host'],
    ['user in Host', get('Host: good@evil\r\n'), 'missing_host'],
    ['empty Host', get('Host: \r\n'), 'missing_host'],
    ['port beyond 65535', get('Host: a:99999\r\n'), 'missing_host'],
    ['HTTP/1.0', get(HOST, 'GET / HTTP/1.0'), 'low_version'],
    ['HTTP/2.0', get(HOST, 'GET / HTTP/2.0'), 'http_version'],
    ['HTTP/0.9', get(HOST, 'GET / HTTP/0.9'), 'http_version'],
    ['lower-case version', get(HOST, 'GET / http/1.1'), 'bad_request'],
    ['two spaces', get(HOST, 'GET  / HTTP/1.1'), 'bad_request'],
    ['lower-case method', get(HOST, 'get / HTTP/1.1'), 'bad_request'],
    ['CONNECT', get(HOST, 'CONNECT a:443 HTTP/1.1'), 'method_not_allowed'],
    ['TRACE', get(HOST, 'TRACE / HTTP/1.1'), 'method_not_allowed'],
    ['* with GET', get(HOST, 'GET * HTTP/1.1'), 'bad_request'],
    ['fragment', get(HOST, 'GET /a#b HTTP/1.1'), 'bad_request'],
    ['backslash', get(HOST, 'GET \\a HTTP/1.1'), 'bad_request'],
    ['absolute target that disagrees', get(HOST, 'GET http://b/ HTTP/1.1'), 'bad_request'],
    ['space before the colon', get(`${HOST}X : 1\r\n`), 'bad_request'],
    ['obs-fold', get(`${HOST}X: 1\r\n 2\r\n`), 'bad_request'],
    ['bare LF', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 'bad_request'],
    ['bare CR in a value', get(`${HOST}X: 1\r2\r\n`), 'bad_request'],
    ['NUL', get(`${HOST}X: \0\r\n`), 'bad_request'],
    ['high byte', get(`${HOST}X: \xff\r\n`), 'bad_request'],
    ['underscore in a name', get(`${HOST}X_Y: 1\r\n`), 'bad_request'],
    ['no name', get(`${HOST}: 1\r\n`), 'bad_request'],
    ['no colon', get(`${HOST}abc\r\n`), 'bad_request'],
    ['CL and TE', get(`${HOST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n`), 'bad_request'],
    ['two lengths', get(`${HOST}Content-Length: 1\r\nContent-Length: 1\r\n`), 'bad_request'],
    ['listed length', get(`${HOST}Content-Length: 1, 1\r\n`), 'bad_request'],
    ['signed length', get(`${HOST}Content-Length: +1\r\n`), 'bad_request'],
    ['hex length', get(`${HOST}Content-Length: 0x1\r\n`), 'bad_request'],
    ['unknown coding', get(`${HOST}Transfer-Encoding: gzip\r\n`), 'transfer_encoding_unknown'],
    ['coding before chunked', get(`${HOST}Transfer-Encoding: identity, chunked\r\n`), 'transfer_encoding_unknown'],
    [
      'two TE lines',
      get(`${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n`),
      'transfer_encoding_unknown',
    ],
    [
      'unknown expectation',
      get(`${HOST}Content-Length: 1\r\nExpect: 200-ok\r\n`, 'POST / HTTP/1.1'),
      'expectation_failed',
    ],
    [
      'an expectation that hides behind another',
      get(`${HOST}Content-Length: 1\r\nExpect: 200-ok\r\nExpect: 100-continue\r\n`, 'POST / HTTP/1.1'),
      'expectation_failed',
    ],
    ['an alias with dots (A10)', get(`${HOST}X.Forwarded.Client.Cert: x\r\n`), 'bad_request'],
    ['an alias of a framing field', get(`${HOST}Content+Length: 1\r\n`), 'bad_request'],
    ['Expect without body', get(`${HOST}Expect: 100-continue\r\n`), 'bad_request'],
    [
      'upgrade with a body',
      get(`${HOST}Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n`),
      'bad_request',
    ],
    ['101 fields', get(HOST + 'X: 1\r\n'.repeat(100)), 'headers_too_large'],
    ['a target over 8 KiB', get(HOST, `GET /${'a'.repeat(9000)} HTTP/1.1`), 'uri_too_long'],
    ['a broken escape', get(HOST, 'GET /%zz HTTP/1.1'), 'path_normalization_failed'],
    ['an escaped NUL', get(HOST, 'GET /%00 HTTP/1.1'), 'path_normalization_failed'],
    ['a path above the root', get(HOST, 'GET /a/../../b HTTP/1.1'), 'path_normalization_failed'],
  ])('%s', (_, text, code) => {
    expect(refused(text)).toBe(code);
  });

  it('refuses every one-byte mutation of Transfer-Encoding that Node could read two ways', () => {
    const accepted: string[] = [];
    for (let byte = 0; byte < 256; byte++) {
      for (const [before, after] of [
        ['', ' chunked'],
        [' ', 'chunked'],
        [' chunked', ''],
      ]) {
        const text = get(
          `${HOST}Transfer-Encoding:${before}${String.fromCharCode(byte)}${after}\r\n`,
          'POST / HTTP/1.1',
        );
        if (refused(text) === 'accepted' && byte !== 32 && byte !== 9) accepted.push(JSON.stringify(text));
      }
    }
    expect(accepted).toEqual([]);
  });
});

describe('request heads that are taken', () => {
  it('keeps end-to-end fields in order, lower-case, and takes framing out', () => {
    const head = parse(
      get(
        `Host: Ratings:9080\r\nX-B: 2 \r\nContent-Length: 003\r\nConnection: keep-alive, x-secret\r\nX-Secret: s\r\nX-A:1\r\n`,
        'POST /a?b=%zz HTTP/1.1',
      ),
    );
    expect(head).toMatchObject({
      method: 'POST',
      target: '/a?b=%zz',
      host: 'ratings:9080',
      length: 3,
      keepAlive: true,
    });
    expect(head.fields.pairs()).toEqual(['x-b', '2', 'x-a', '1']);
  });

  it('does not let Connection take away identity, authority or ids', () => {
    const head = parse(
      get(
        `${HOST}Connection: authorization, cookie, x-request-id, traceparent, x-forwarded-client-cert\r\nAuthorization: t\r\nCookie: c\r\nX-Request-Id: r\r\nTraceparent: p\r\nX-Forwarded-Client-Cert: x\r\n`,
      ),
    );
    expect(head.fields.pairs().filter((_, i) => i % 2 === 0)).toEqual([
      'authorization',
      'cookie',
      'x-request-id',
      'traceparent',
      'x-forwarded-client-cert',
    ]);
  });

  it.each([
    ['/a/./b/../c', '/a/c'],
    ['//a///b//', '/a/b/'],
    ['/%7ejason/%41', '/~jason/A'],
    ['/a%2fb%5Cc', '/a/b/c'],
    ['/a%20b', '/a%20b'],
    ['/a/..', '/'],
    // Dots before slashes: an empty segment is one that `..` takes away.
    ['/a//../b', '/a/b'],
    ['//../b', '/b'],
    ['/%252e', '/%252e'],
    ['/a?x=/../y', '/a?x=/../y'],
  ])('makes %s canonical', (given, canonical) => {
    expect(parse(get(HOST, `GET ${given} HTTP/1.1`)).target).toBe(canonical);
  });

  it('canonicalises idempotently', () => {
    for (const target of ['/a/./b/../c', '//x//', '/%7e', '/a%2fb', '/%41%2e%2e']) {
      const once = parse(get(HOST, `GET ${target} HTTP/1.1`)).target;
      expect(parse(get(HOST, `GET ${once} HTTP/1.1`)).target).toBe(once);
    }
  });
});
