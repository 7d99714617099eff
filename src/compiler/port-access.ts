import type { AppPort } from '../model/app.js';
import type { AccessCondition, AccessRule } from '../model/authorization.js';
import type { PortAccess } from '../model/policies.js';

/** The rules of each port, of the one policy that holds there: what is about the port before what is about the rest. */
export function portRules(policies: readonly PortAccess[], ports: readonly AppPort[]): AccessRule[] {
  const ranked = policies.toSorted((a, b) => b.precedence - a.precedence || a.created - b.created);
  return ports.flatMap(({ port }) => {
    const holding = ranked.find((policy) => policy.port === null || policy.port === port);
    return (holding?.rules ?? []).map((rule) => ({ ...rule, when: [onPort(port), ...rule.when] }));
  });
}

function onPort(port: number): AccessCondition {
  return {
    subject: { kind: 'port' },
    values: [{ kind: 'exact', value: String(port) }],
    not: false,
    text: `port: ${port}`,
  };
}
