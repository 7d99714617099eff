import type { VirtualHost } from '../model/sidecar-config.js';

/** The virtual host that a name belongs to on a port: its own, else the longest wildcard's, else the one for any. */
export function hostFor(hosts: readonly VirtualHost[], name: string, port: number): VirtualHost | null {
  const onPort = hosts.filter((host) => host.port === port);
  const exact = onPort.find(({ domains }) => domains.includes(name));
  if (exact !== undefined) return exact;
  const wild = onPort
    .flatMap((host) =>
      host.domains.filter((domain) => domain.startsWith('*')).map((domain) => ({ host, suffix: domain.slice(1) })),
    )
    .filter(({ suffix }) => name.length > suffix.length && name.endsWith(suffix))
    .sort((a, b) => b.suffix.length - a.suffix.length);
  return wild[0]?.host ?? onPort.find(({ domains }) => domains.includes('*')) ?? null;
}
