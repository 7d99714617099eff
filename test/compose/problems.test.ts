// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Compose writes its variables in the same way
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readApp } from '../../src/compose/read-app.js';
import { problemsIn, webFile } from './reading.js';

describe('problems of a file', () => {
  it('are told all at once, each with its place and what to write', () => {
    const text = `servcies: {}
services:
  web:
    imge: a
    ports: [eighty]
    environment: {A: "\${"}
    x-mesh: {serviceAcount: a, ports: {80: udp}, local: [], locality: eu north}
  Web: {image: i}
  api: {image: i, expose: [80], labels: {app: My App}}
x-mesh:
  gateway: {service: wbe, port: 80}
  load: {rps: 9999, paths: [x], rate: 1}
  services:
    wep:
      retries: {attempts: 1.5, retryOn: [5xxx], perTryTimeout: 3}
      timeout: soon
      balancer: RADNOM
      routes: [{from: [wbe], respond: {status: 200}}]
  propagate: {deadlines: true}
`;
    expect(problemsIn(text)).toEqual([
      'c.yaml:1:1 unknown key "servcies" in the file (did you mean services?)',
      'c.yaml:4:5 unknown key "imge" in services.web (did you mean image?)',
      'c.yaml:4:5 services.web has no image (image: NAME)',
      'c.yaml:5:13 services.web.ports: "eighty" is not a port (for example "8080" or "127.0.0.1:80:8080")',
      'c.yaml:6:22 services.web.environment.A: a variable that begins with ${ never ends; write $$ for a dollar',
      'c.yaml:7:14 unknown key "serviceAcount" in services.web.x-mesh (did you mean serviceAccount?)',
      'c.yaml:7:44 services.web.x-mesh.ports.80 must be http, tcp or auto',
      'c.yaml:7:57 services.web.x-mesh.local names no program (local: [node, server.js])',
      'c.yaml:7:71 services.web.x-mesh.locality must be region, region/zone or region/zone/sub-zone (locality: eu/north)',
      'c.yaml:8:3 "Web" cannot be the name of a workload (lower-case letters, digits and dashes, 63 at most)',
      'c.yaml:9:41 services.api: the label app is a host name, which "My App" is not (lower-case letters, digits and dashes, 63 at most)',
      'c.yaml:11:22 x-mesh.gateway.service: unknown service "wbe" (did you mean web?)',
      'c.yaml:12:15 x-mesh.load.rps must be between 0 and 5000',
      'c.yaml:12:29 x-mesh.load.paths: "x" is not a path (for example /productpage)',
      'c.yaml:12:33 unknown key "rate" in x-mesh.load (known: rps, paths)',
      'c.yaml:14:5 x-mesh.services: unknown service "wep" (did you mean web?)',
      'c.yaml:14:5 x-mesh.services.wep.routes: from names "wbe", which is no workload and no service (did you mean web?)',
      'c.yaml:15:27 x-mesh.services.wep.retries.attempts must be a whole number from 0 to 10',
      'c.yaml:15:42 x-mesh.services.wep.retries.retryOn: "5xxx" is no reason to retry (did you mean 5xx?)',
      'c.yaml:15:64 x-mesh.services.wep.retries.perTryTimeout must be a duration (such as 250ms or 3s)',
      'c.yaml:16:16 x-mesh.services.wep.timeout must be a duration (such as 250ms or 3s)',
      'c.yaml:17:17 x-mesh.services.wep.balancer must be LEAST_REQUEST or ROUND_ROBIN or RANDOM or PEAK_EWMA or RING_HASH or MAGLEV (did you mean RANDOM?)',
      'c.yaml:19:15 unknown key "deadlines" in x-mesh.propagate (did you mean deadline?)',
    ]);
  });

  it.each([
    ['', 'c.yaml:1:1 there are no services in this file (services: { NAME: { image: … } })'],
    ['services: {}', 'c.yaml:1:1 there are no services in this file (services: { NAME: { image: … } })'],
    [
      'services: {a: {image: i}}',
      'c.yaml:1:1 no service has an HTTP port, so nothing can be reached (ports: ["8080"])',
    ],
    ['a: 1\na: 2', 'c.yaml:2:1 the key "a" stands twice'],
    ['a: "x', 'c.yaml:1:6 Missing closing "quote'],
    ['a: 1\n---\nb: 2', 'c.yaml:2:1 a second document begins here; one file is one app'],
    [
      `${webFile('')}x-mesh: {gateway: {port: 80}}`,
      'c.yaml:6:19 x-mesh.gateway names no service (gateway: { service: NAME, port: 8080 })',
    ],
    [`${webFile('')}x-mesh: {gateway: {service: web, port: 81}}`, 'c.yaml:6:40 web has no port 81 (it has: 80)'],
    [
      `${webFile('')}x-mesh: {gateway: {service: wbe}}`,
      'c.yaml:6:29 x-mesh.gateway.service: unknown service "wbe" (did you mean web?)',
    ],
    [
      `${webFile('')}x-mesh: {services: {wep: {}}}`,
      'c.yaml:6:21 x-mesh.services: unknown service "wep" (did you mean web?)',
    ],
    [webFile('user: {}'), 'c.yaml:5:11 services.web.user must be text'],
    [webFile('labels: x'), 'c.yaml:5:13 services.web.labels must be a mapping (key: value)'],
    [webFile('command: [[a]]'), 'c.yaml:5:15 services.web.command must be text'],
    [webFile('user: ${UID:?say who}'), 'c.yaml:5:11 services.web.user: the variable UID is needed: say who'],
  ])('%j', (text, problem) => expect(problemsIn(text)).toContain(problem));
});

describe('hostile files', () => {
  const deep = (depth: number): string =>
    `services:\n${Array.from({ length: depth }, (_, n) => `${' '.repeat(n + 1)}a:\n`).join('')}`;
  it.each([
    ['larger than 1 MiB', `#${'x'.repeat(1024 * 1024)}`, 'c.yaml:1:1 the file is larger than 1 MiB'],
    ['deep flow', '['.repeat(500_000), 'c.yaml:1:33 nested deeper than 32 levels'],
    ['deep lists on one line', '- '.repeat(500_000), 'c.yaml:1:65 nested deeper than 32 levels'],
    ['deep keys', '? '.repeat(500_000), 'c.yaml:1:65 nested deeper than 32 levels'],
    ['deep maps', deep(40), /nested deeper than 32 levels/],
    [
      'many aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(9)}]\nc: &c [${'*b,'.repeat(9)}]\nd: [${'*c,'.repeat(9)}]`,
      /Excessive alias count/,
    ],
    ['a circle', `services: {web: &a {image: i, expose: [80], environment: *a}}`, /must be text/],
    ['a circle of merges', 'services: &a {<<: *a}', /.+/],
    [
      'many variables in one another',
      webFile(`user: "${'${A:-'.repeat(1000)}${'}'.repeat(1000)}"`),
      /variables are nested deeper/,
    ],
  ])('%s', (_name, text, expected) => {
    const began = performance.now();
    const problems = problemsIn(text).join('\n');
    if (typeof expected === 'string') expect(problems).toBe(expected);
    else expect(problems).toMatch(expected);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('text in block scalars and quotes is not nesting', () => {
    expect(problemsIn(webFile(`command: |\n  ${'- '.repeat(99)}\nuser: "${'['.repeat(99)}"`))).toEqual([]);
  });

  it('whatever is in a file, reading never throws', () => {
    const word = fc.constantFrom(
      'services',
      'x-mesh',
      'image',
      'ports',
      'a',
      '"80"',
      '${A}',
      '$',
      '-1',
      'null',
      'labels',
    );
    const line = fc.tuple(
      fc.nat(4),
      fc.constantFrom('', '- ', '&x ', '*x', '<<: '),
      word,
      fc.constantFrom(':', ': ', ': [', '}', ''),
      word,
    );
    const lines = fc.array(
      line.map(([indent, mark, a, b, c]) => `${'  '.repeat(indent)}${mark}${a}${b}${c}`),
      { maxLength: 20 },
    );
    const text = fc.oneof(
      lines.map((all) => all.join('\n')),
      fc.json(),
      fc.string(),
    );
    fc.assert(
      fc.property(text, (given) => {
        const result = readApp({ text: given, file: 'c.yaml', environment: {} });
        return result.ok || result.problems.length > 0;
      }),
      { numRuns: 1_000 },
    );
  });
});
