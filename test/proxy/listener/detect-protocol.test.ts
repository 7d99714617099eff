import { describe, expect, it } from 'vitest';
import { protocolIn } from '../../../src/proxy/listener/detect-protocol.js';

const HTTP = [
  'GET / HTTP/1.1\r\n',
  'GET / HTTP/1.1\n',
  'M-SEARCH * HTTP/1.1\r\nHost: a\r\n',
  'OPTIONS http://a/b?c HTTP/1.1\r\n',
];
const OTHER = [
  'GET / HTTP/1.0\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'SELECT 1;\n',
  '\x16\x03\x01\x02\x00',
  'GET  / HTTP/1.1\r\n',
  ' GET / HTTP/1.1\r\n',
  'GET /\r\n',
  '*1\r\n$4\r\nPING\r\n',
  '\n',
  `${'A'.repeat(33)}`,
  `GET /${'a'.repeat(8 * 1024)}`,
];

/** What is told after each byte. */
const byBytes = (text: string) =>
  Array.from({ length: text.length }, (_, i) => protocolIn(Buffer.from(text.slice(0, i + 1), 'latin1')));

describe('what a connection begins with', () => {
  it.each(HTTP)('is HTTP once its first line is there, and undecided before: %j', (text) => {
    const told = byBytes(text);
    const end = text.indexOf('\n');
    expect(told.slice(0, end).every((one) => one === null)).toBe(true);
    expect(told.slice(end).every((one) => one === 'http')).toBe(true);
  });

  it.each(OTHER)('is bytes, however it comes in parts, and never HTTP: %j', (text) => {
    const told = text.length > 100 ? [protocolIn(Buffer.from(text, 'latin1'))] : byBytes(text);
    expect(told.at(-1)).toBe('tcp');
    expect(told.includes('http')).toBe(false);
  });
});
