import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/model/finding.js';
import { analyze } from '../../src/resources/analysis/analyze.js';
import { readResources } from '../../src/resources/read.js';
import { appOf } from '../support/apps.js';
import { casesOf } from './cases.js';
import { PODS, SERVICES } from './world.js';

interface AnalysisCase {
  readonly id: string;
  readonly title: string;
  readonly input: string;
  /** What `istioctl analyze` said; `line` lies within the object. */
  readonly analyze: readonly {
    readonly code: string;
    readonly level: string;
    readonly origin: string;
    readonly line: number;
  }[];
  readonly refused_by_validation: boolean;
}

const app = { ...appOf(PODS), services: SERVICES };

describe('what istioctl analyze and validation say of the same files', () => {
  for (const one of casesOf('res-validate.yaml') as unknown as AnalysisCase[])
    it(`${one.id}: ${one.title}`, () => {
      const { resources, findings } = readResources([{ name: `${one.id}.yaml`, text: one.input }], 0);
      const all: readonly Finding[] = [...findings, ...analyze(resources, app)];
      expect(findings.some(({ level }) => level === 'error')).toBe(one.refused_by_validation);
      const told = all
        .filter(({ code }) => code.startsWith('IST'))
        .map(({ code, level, object }) => ({ code, level, object }));
      expect(told).toEqual(
        one.analyze.map(({ code, level, origin }) => ({ code, level: level.toLowerCase(), object: origin })),
      );
    });
});
