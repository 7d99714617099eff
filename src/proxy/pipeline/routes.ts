import type { FieldChanges, Route, WeightedCluster } from '../../model/route.js';
import type { RequestHead } from '../codec/message.js';
import type { Call, Reply, RoutePolicy } from './call.js';

/** A route at work: what its configuration says, made ready once so that a request only asks. */
export interface RouteAtWork {
  readonly config: Route;
  readonly matches: (head: RequestHead) => boolean;
  /** The proxy's own answer; null = the request is forwarded. */
  readonly answer: ((call: Call) => Reply) | null;
  /** Null = the route has no policy for other origins. */
  readonly cors: ((head: RequestHead) => CorsVerdict | null) | null;
  /** How patiently it is forwarded; null where `answer` is not. */
  readonly policy: RoutePolicy | null;
  /** Changes target and authority of what is forwarded; null = they stay. */
  readonly rewrite: ((head: RequestHead) => void) | null;
}

/** What CORS makes of a request: its answer where it is a preflight, and what the answer's fields must say. */
export interface CorsVerdict {
  readonly reply: Reply | null;
  readonly changes: FieldChanges | null;
}

/** A call whose route is found. */
export interface MatchedCall {
  readonly call: Call;
  /** Null = no virtual host has its name. */
  readonly route: RouteAtWork | null;
  /** The share of a forwarding route that it fell into; null for every other. */
  readonly weighted: WeightedCluster | null;
}

export interface HostAtWork {
  readonly name: string;
  readonly routes: readonly RouteAtWork[];
}

/** The virtual hosts of one port. */
export class HostTable {
  readonly #exact = new Map<string, HostAtWork>();
  /** `.example.com` of `*.example.com`, longest first. */
  #suffixes: (readonly [suffix: string, host: HostAtWork])[] = [];
  #any: HostAtWork | undefined;

  /** Adds a host under a domain; the first that has a domain keeps it. */
  add(domain: string, host: HostAtWork): void {
    if (domain === '*') this.#any ??= host;
    else if (!domain.startsWith('*')) {
      if (!this.#exact.has(domain)) this.#exact.set(domain, host);
    } else if (!this.#suffixes.some(([suffix]) => suffix === domain.slice(1))) {
      this.#suffixes = [...this.#suffixes, [domain.slice(1), host] as const].sort(([a], [b]) => b.length - a.length);
    }
  }

  /** The host whose very own a name is; wildcards do not count. */
  own(name: string): HostAtWork | undefined {
    return this.#exact.get(name);
  }

  /** The host that a name belongs to: its own, else the longest wildcard's, else the one for any (Envoy's order). */
  find(name: string): HostAtWork | undefined {
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    for (const [suffix, host] of this.#suffixes) {
      if (name.length > suffix.length && name.endsWith(suffix)) return host;
    }
    return this.#any;
  }
}
