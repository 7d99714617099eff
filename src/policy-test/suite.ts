import type { SourceRef } from '../model/source.js';
import { locate, sourceOf } from '../yaml/positions.js';
import { Findings, type Problem } from '../yaml/problems.js';
import {
  duration,
  flag,
  list,
  map,
  number,
  oneOf,
  type Read,
  reader,
  record,
  shapeOf,
  table,
  tableWith,
  text,
  whole,
} from '../yaml/readers.js';
import { readPath, texts } from '../yaml/route-match.js';
import { textShape } from '../yaml/shape.js';
import { parseYaml } from '../yaml/view.js';

/**
 * A file of policy tests: given these policies and these requests, what must come of each. Run without traffic by following
 * the compiled configuration, or with traffic in a running sandbox.
 */
const request = tableWith(['from', 'to'], {
  from: text,
  to: text,
  method: text,
  path: readPath,
  headers: record(text),
});

/** One destination, `reviews v2`, or several with their shares in percent. */
const destinations = reader<Readonly<Record<string, number>>>(
  {
    kind: 'either',
    of: [textShape('a service, or a service and a subset'), { kind: 'record', of: shapeOf(number(0, 100)) }],
  },
  (view, where, findings) =>
    view.kind === 'map'
      ? record(number(0, 100))(view, where, findings)
      : map(text, (one) => locate({ [one]: 100 }, view.source))(view, where, findings),
);

/** A duration, or `none`. */
const timeout = reader<number | null>(textShape('a duration, or none'), (view, where, findings) =>
  view.scalar === 'none' ? null : duration(view, where, findings),
);

const expectation = table({
  /** Part of how the rule is called: `rule 2 of VirtualService default/reviews`, its name, or `none`. */
  rule: text,
  to: destinations,
  status: whole(0, 599),
  answeredBy: oneOf(['app', 'mesh']),
  denied: flag,
  retries: whole(0, 100),
  retryOn: texts,
  timeout,
  encryption: oneOf(['mtls', 'tls', 'plaintext']),
  /** With traffic only: how often the app was asked, at most. */
  attempts: whole(1, 100),
});

export type Expectation = Read<typeof expectation>;

const test = tableWith(['name', 'request', 'expect'], {
  name: text,
  request,
  expect: expectation,
  /** With traffic: so many requests; default 1, 200 where shares are expected. */
  times: whole(1, 10_000),
});

const suite = tableWith(['tests'], {
  apiVersion: oneOf(['mesh-sandbox.dev/v1']),
  kind: oneOf(['PolicyTest']),
  /** Sample or Compose file, from the folder of this file; default: the sample. */
  app: text,
  flavor: text,
  mtls: oneOf(['disable', 'permissive', 'strict']),
  policies: texts,
  tests: list(test),
});

export const SUITE_SHAPE = shapeOf(suite);

export type Suite = Read<typeof suite>;
export type PolicyTest = Suite['tests'][number];

/** Reads a file of policy tests; null = it has the problems, in the order of its lines. */
export function readSuite(
  file: string,
  source: string,
): { readonly suite: Suite | null; readonly problems: Problem[] } {
  const findings = new Findings();
  const view = parseYaml(source, file, findings);
  const read = view === null ? undefined : suite(view, '', findings);
  const problems = findings.inFileOrder();
  return { suite: problems.length > 0 ? null : (read ?? null), problems };
}

/** Where a test, or a part of what it expects, stands. */
export function placeOf(one: object, part?: string): SourceRef {
  return sourceOf(one, part);
}
