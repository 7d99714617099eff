import type { AppSpec, WorkloadSpec } from '../../model/app.js';
import { hostNames } from '../../model/names.js';

/** What an app may see of the host's own environment: enough to start programs, nothing that could leak. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'NODE_EXTRA_CA_CERTS'];

/**
 * Environment of an app on loopback: its own values, with every `host:port` of a mesh service replaced by the loopback
 * port that its sidecar opened for it, and `PORT` set to where the sidecar will look for it.
 */
export function appEnvironment(
  app: AppSpec,
  workload: WorkloadSpec,
  target: number,
  listenPorts: Readonly<Record<string, number>>,
  host: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const environment: Record<string, string> = { MESH_LIFELINE: '1' };
  for (const name of INHERITED) if (host[name] !== undefined) environment[name] = host[name];
  for (const [name, value] of Object.entries(workload.environment))
    environment[name] = rewriteAddresses(value, app, listenPorts, workload.namespace);
  environment['PORT'] = String(target);
  return environment;
}

/** Replaces the mesh's addresses in a text: `http://ratings:9080/x` → `http://127.0.0.1:40123/x`. */
export function rewriteAddresses(
  text: string,
  app: AppSpec,
  listenPorts: Readonly<Record<string, number>>,
  namespace?: string,
): string {
  let rewritten = text;
  for (const service of app.services) {
    for (const { port } of service.ports) {
      const local = listenPorts[`out:${service.name}:${port}`];
      if (local === undefined) continue;
      // Longest name first, so that `ratings.default` does not leave `.default` behind.
      for (const name of hostNames(service.host, namespace).reverse()) {
        const pattern = new RegExp(`(?<![\\w.-])${name.replaceAll('.', '\\.')}:${port}(?!\\d)`, 'g');
        rewritten = rewritten.replace(pattern, `127.0.0.1:${local}`);
        // Port 80 need not be said.
        const bare = new RegExp(`http://${name.replaceAll('.', '\\.')}(?=[/?#",\\s]|$)`, 'g');
        if (port === 80) rewritten = rewritten.replace(bare, `http://127.0.0.1:${local}`);
      }
    }
  }
  return rewritten;
}
