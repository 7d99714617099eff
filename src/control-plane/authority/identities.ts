import { randomUUID } from 'node:crypto';
import { GATEWAY, GATEWAY_NAMED } from '../../compiler/caller.js';
import type { AppSpec } from '../../model/app.js';
import type { CertificateRules, Flavor } from '../../model/flavor.js';
import { dnsNames, type Named, type Naming, trustDomainOf, workloadId } from '../../model/spiffe-id.js';
import type { Clock } from '../../platform/clock.js';
import type { IdentityView } from '../../protocol/api-types.js';
import { Authority, type Issued, type LeafNames } from './authority.js';

/** Stream name of the traffic generator. */
export const LOAD = 'load';

export interface IdentityParts {
  readonly app: AppSpec;
  readonly flavor: Flavor;
  /** Where the authority keeps its root. */
  readonly stateDir: string;
  /** Life of a certificate, ms; null = as the flavour has it. */
  readonly leafMs: number | null;
}

/** Who everybody is in this mesh, in the words of its flavour, and who has a certificate that says so. */
export class Identities {
  readonly authority: Authority;
  readonly naming: Naming;
  readonly renewal: CertificateRules['renewal'];
  readonly #names: ReadonlyMap<string, LeafNames>;
  readonly #issued = new Map<string, IdentityView>();

  private constructor(authority: Authority, { app, flavor }: IdentityParts) {
    this.authority = authority;
    this.naming = { form: flavor.name, trustDomain: authority.trustDomain };
    this.renewal = flavor.certificates.renewal;
    this.#names = new Map([
      // Who stands outside the mesh has no identity, and gets none.
      ...app.workloads.filter(({ meshed }) => meshed).map((spec) => [spec.name, this.#leaf(spec)] as const),
      [GATEWAY, this.#leaf(GATEWAY_NAMED)],
      [LOAD, { spiffeId: this.#ofTheSystem(LOAD), dnsNames: [] }],
    ]);
  }

  static async open(parts: IdentityParts, clock: Clock): Promise<Identities> {
    const { flavor, stateDir, leafMs } = parts;
    const authority = await Authority.open(stateDir, clock, {
      trustDomain: trustDomainOf(flavor.name, randomUUID()),
      leafMs: leafMs ?? flavor.certificates.lifeMs,
    });
    return new Identities(authority, parts);
  }

  /** SPIFFE ID of the control plane itself. */
  get own(): string {
    return this.#ofTheSystem('control-plane');
  }

  /** What a workload must prove; null = nobody of this name has an identity. */
  of(workload: string): LeafNames | null {
    return this.#names.get(workload) ?? null;
  }

  /** Notes a certificate that was signed. */
  issued(workload: string, { certificate: _, ...facts }: Issued): void {
    const issued = (this.#issued.get(workload)?.issued ?? 0) + 1;
    this.#issued.set(workload, { workload, ...facts, issued });
  }

  /** The newest certificate of a workload. */
  certificateOf(workload: string): IdentityView | undefined {
    return this.#issued.get(workload);
  }

  views(): IdentityView[] {
    return [...this.#issued.values()];
  }

  #leaf(named: Named): LeafNames {
    return { spiffeId: workloadId(named, this.naming), dnsNames: dnsNames(named, this.naming) };
  }

  #ofTheSystem(name: string): string {
    return workloadId({ app: name, serviceAccount: name, namespace: 'mesh-system' }, this.naming);
  }
}
