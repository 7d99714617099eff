/** What became of a resource, in the Gateway API's words. */
export interface ResourceStatus {
  /** Of the resource as a whole; absent where it is told by parent. */
  readonly conditions?: readonly StatusCondition[];
  /** Of a route, for each of its parents. */
  readonly parents?: readonly ParentStatus[];
  /** Of a policy, for each Service that it is about, and each Gateway that leads there. */
  readonly ancestors?: readonly AncestorStatus[];
  /** Of a Gateway. */
  readonly listeners?: readonly ListenerStatus[];
}

export interface StatusCondition {
  /** `Accepted`, `ResolvedRefs`, `PartiallyInvalid`, `Programmed`, `Conflicted`. */
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  /** For people; '' = as it should be. */
  readonly message: string;
  /** Generation of the resource that it is about: 1 = as it was first applied. */
  readonly observedGeneration: number;
}

export interface StatusRef {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly sectionName?: string;
  readonly port?: number;
}

export interface ParentStatus {
  readonly parentRef: StatusRef;
  readonly controllerName: string;
  readonly conditions: readonly StatusCondition[];
}

export interface AncestorStatus {
  readonly ancestorRef: StatusRef;
  readonly controllerName: string;
  readonly conditions: readonly StatusCondition[];
}

export interface ListenerStatus {
  readonly name: string;
  readonly supportedKinds: readonly { readonly group: string; readonly kind: string }[];
  /** Routes that it has taken. */
  readonly attachedRoutes: number;
  readonly conditions: readonly StatusCondition[];
}

export const CONTROLLER = 'mesh-sandbox.dev/gateway-controller';

/** Conditions that are good news when they are false. */
const INVERSE: ReadonlySet<string> = new Set(['PartiallyInvalid', 'Conflicted']);

/** A condition by what is bad; null = nothing. */
export function condition(
  type: string,
  bad: { readonly reason: string; readonly message: string } | null,
  observedGeneration: number,
): StatusCondition {
  const status = (bad === null) === INVERSE.has(type) ? 'False' : 'True';
  const reason = bad?.reason ?? (type === 'Conflicted' ? 'NoConflicts' : type);
  return { type, status, reason, message: bad?.message ?? '', observedGeneration };
}

/** Whether a condition says that something is not as it should be. */
export function isBad({ type, status }: Pick<StatusCondition, 'type' | 'status'>): boolean {
  return (status === 'True') === INVERSE.has(type);
}

/** Every condition of a status, whosever it is. */
export function conditionsOf(status: ResourceStatus): StatusCondition[] {
  const { conditions = [], parents = [], ancestors = [], listeners = [] } = status;
  return [
    ...conditions,
    ...parents.flatMap((parent) => parent.conditions),
    ...ancestors.flatMap((ancestor) => ancestor.conditions),
    ...listeners.flatMap((listener) => listener.conditions),
  ];
}
