import type { Cluster } from '../../model/cluster.js';
import type { Clock } from '../../platform/clock.js';
import type { Random } from '../../platform/random.js';
import type { Choice, ClusterLoad, EndpointState, Picker } from '../pipeline/cluster.js';
import { type AlgorithmParts, algorithm, type Choose } from './algorithm.js';
import { groupsOf } from './levels.js';
import { measureLatency } from './peak-ewma.js';
import { weights } from './weights.js';

export interface PickerParts {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The picker of a cluster: who may be asked as levels and localities have it, then the algorithm within. Everything that
 * does not depend on the request is made when endpoints or their availability change.
 */
export function makePicker(
  config: Cluster,
  endpoints: readonly EndpointState[],
  load: ClusterLoad,
  { clock, random }: PickerParts,
): Picker {
  const { balancing } = config;
  measureLatency(endpoints, balancing.algorithm, clock);
  const chance = (attempt: Choice, draw: number): number =>
    random.decide(
      attempt.routed.call.record.requestId,
      attempt.number === 1 && draw === 0 ? 'endpoint' : `endpoint ${attempt.number}.${draw}`,
    );
  const parts = (among: readonly EndpointState[]): AlgorithmParts => ({
    chance,
    load,
    weightOf: weights(among, balancing.slowStart, clock),
  });
  let groups: readonly { readonly share: number; readonly choose: Choose }[] = [];
  const look = (): void => {
    groups = groupsOf(endpoints, balancing.panicPercent, balancing.localityWeights, balancing.lastResort).map(
      (group) => ({
        share: group.share,
        choose: algorithm(balancing.algorithm, group.endpoints, parts(group.endpoints)),
      }),
    );
  };
  look();
  return {
    availabilityChanged: look,
    pick(attempt, draw) {
      const [first] = groups;
      if (first === undefined) return null;
      if (groups.length === 1) return first.choose(attempt, draw);
      let point = random.decide(attempt.routed.call.record.requestId, `level ${attempt.number}.${draw}`);
      for (const { share, choose } of groups) {
        point -= share;
        if (point < 0) return choose(attempt, draw);
      }
      return first.choose(attempt, draw);
    },
  };
}
