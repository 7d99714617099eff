import { READING } from '../../model/finding.js';
import { sourceOf } from '../../yaml/positions.js';
import type { Report, Resource } from '../resource.js';
import type { ServiceIntentions } from './defaults.js';
import type { ServiceResolver, ServiceRouter, ServiceSplitter } from './routing.js';

/** What Consul refuses to write. */
export function checkRouter({ spec }: Resource<ServiceRouter>, report: Report): void {
  for (const { match, destination } of spec.routes ?? []) {
    const http = match?.http;
    const paths = (['pathExact', 'pathPrefix', 'pathRegex'] as const).filter((key) => http?.[key] !== undefined);
    if (http !== undefined && paths.length > 1)
      report(READING.schema, 'error', sourceOf(http, paths[1]), `a route matches by one of ${paths.join(' and ')}`);
    const rewrites = destination?.prefixRewrite !== undefined;
    if (rewrites && http?.pathExact === undefined && http?.pathPrefix === undefined)
      report(
        READING.schema,
        'error',
        sourceOf(destination, 'prefixRewrite'),
        'prefixRewrite needs pathExact or pathPrefix in the match',
        'match: { http: { pathPrefix: /api } }',
      );
  }
}

/** In hundredths, as Consul counts them. */
export function checkSplitter({ spec }: Resource<ServiceSplitter>, report: Report): void {
  const splits = spec.splits ?? [];
  const total = splits.reduce((sum, { weight }) => sum + Math.round(weight * 100), 0);
  if (total !== 10_000)
    report(
      READING.schema,
      'error',
      sourceOf(splits),
      `the sum of all split weights must be 100, and it is ${total / 100}`,
      'weights that add up to 100',
    );
  for (const split of splits)
    if (split.weight > 0 && split.weight < 0.01)
      report(READING.schema, 'error', sourceOf(split, 'weight'), 'a weight is at least 0.01');
}

export function checkResolver({ spec }: Resource<ServiceResolver>, report: Report): void {
  const { subsets = {}, defaultSubset = '', redirect } = spec;
  if (defaultSubset !== '' && !(defaultSubset in subsets))
    report(READING.schema, 'error', sourceOf(spec, 'defaultSubset'), `defaultSubset ${defaultSubset} is no subset`);
  if (redirect !== undefined && Object.keys(subsets).length > 0)
    report(READING.schema, 'error', sourceOf(spec, 'redirect'), 'a resolver that redirects has no subsets of its own');
}

export function checkIntentions({ spec }: Resource<ServiceIntentions>, report: Report): void {
  for (const [i, source] of spec.sources.entries()) {
    if ((source.action === undefined) === (source.permissions === undefined))
      report(
        READING.schema,
        'error',
        sourceOf(spec.sources, i),
        `the source ${source.name} has action or permissions, one of them`,
      );
    if (spec.sources.findIndex(({ name }) => name === source.name) !== i)
      report(READING.schema, 'error', sourceOf(spec.sources, i), `the source ${source.name} stands twice`);
  }
}
