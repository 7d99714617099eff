import { sourceOf } from '../../yaml/positions.js';
import type { ReferenceGrant } from '../gateway-api/others.js';
import type { DestinationRule } from '../istio/destination-rule.js';
import type { ServiceEntry } from '../istio/service-entry.js';
import type { VirtualService } from '../istio/virtual-service.js';
import { ofKind } from '../resource.js';
import { knownNamespaces } from './known-namespaces.js';
import type { Tell, World } from './world.js';

/** Resources that are shown to namespaces, or grant them something, that there are not (Kiali's namespace checkers). */
export function analyzeExports(world: World, tell: Tell): void {
  const known = knownNamespaces(world);
  if (known === null) return;
  const hint = `there are: ${[...known].join(', ')}`;
  for (const kind of ['VirtualService', 'DestinationRule', 'ServiceEntry'])
    for (const object of ofKind<VirtualService & DestinationRule & ServiceEntry>(world.resources, 'istio', kind)) {
      const { exportTo = [] } = object.spec;
      for (const [i, name] of exportTo.entries())
        if (!['.', '*', '~'].includes(name) && !known.has(name))
          tell(
            'KIA0005',
            'error',
            object,
            sourceOf(exportTo, i),
            `there is no namespace ${name}: nobody sees it there`,
            {
              hint,
            },
          );
    }
  for (const grant of ofKind<ReferenceGrant>(world.resources, 'gateway-api', 'ReferenceGrant'))
    for (const from of grant.spec.from ?? [])
      if (!known.has(from.namespace))
        tell(
          'KIA1601',
          'error',
          grant,
          sourceOf(from, 'namespace'),
          `there is no namespace ${from.namespace}, so nobody is granted anything`,
          { hint },
        );
}
