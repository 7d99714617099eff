import { selects } from '../../model/app.js';
import { sourceOf } from '../../yaml/positions.js';
import type { Gateway } from '../istio/others.js';
import { ofKind } from '../resource.js';
import { GATEWAY_NAME } from './gateway-policies.js';
import { textOf } from './selectors.js';
import type { Tell, World } from './world.js';

/** Gateways whose selector chooses no workload (Kiali's gateways.SelectorChecker). */
export function analyzeGatewayWorkloads({ resources, workloads }: World, tell: Tell): void {
  if (workloads.length === 0) return;
  for (const gateway of ofKind<Gateway>(resources, 'istio', 'Gateway')) {
    const { selector = {} } = gateway.spec;
    if (Object.entries(selector).every(isInstalled)) continue;
    if (!workloads.some(({ labels }) => selects(selector, labels)))
      tell('KIA0302', 'warning', gateway, sourceOf(gateway.spec, 'selector'), `no workload has ${textOf(selector)}`, {
        hint: 'istio: ingressgateway',
      });
  }
}

/** Gateways that come with Istio, or are made of the Gateway API's, stand in nobody's files. */
function isInstalled([label, value]: readonly [string, string]): boolean {
  if (label === GATEWAY_NAME) return true;
  return (
    (label === 'istio' || label === 'app') &&
    /^(?:istio-)?(?:(?:ingress|egress|eastwest)(?:gateway)?|gateway)$/.test(value)
  );
}
