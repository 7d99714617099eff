import * as z from 'zod';
import { explain } from '../../model/explain.js';
import type { OperationName, ResponseOf } from '../../protocol/api.js';
import type { ExchangeFilter } from '../../protocol/api-types.js';
import { faultInputSchema } from '../../protocol/fault-input.js';
import type { ControlPlane } from '../control-plane.js';
import { ApiProblem } from './problem.js';

type Input = Readonly<Record<string, unknown>>;
export type Handlers = { readonly [N in OperationName]: (input: Input) => ResponseOf<N> | Promise<ResponseOf<N>> };

const featuresSchema = z.strictObject({
  mtls: z.enum(['disable', 'permissive', 'strict']).optional(),
  retries: z.boolean().optional(),
});
const loadSchema = z.strictObject({
  rps: z.number().min(0).max(5_000).optional(),
  paths: z.array(z.string().startsWith('/')).min(1).optional(),
});
const usageSchema = z.object({
  usage: z.array(z.object({ part: z.string(), cpu: z.number(), memoryBytes: z.number() })),
});
const portSchema = z.number().int().min(1).max(65_535);
const placeSchema = z.strictObject({
  workload: z.string(),
  address: z.union([z.ipv4(), z.ipv6()]),
  ports: z.record(z.string().regex(/^[0-9]{1,5}$/), portSchema),
});
const endpointSchema = placeSchema.extend({ ready: z.boolean() });
const partSchema = z.object({ part: z.string(), event: z.enum(['died', 'restarted', 'gave-up']), detail: z.string() });
const tokensSchema = z.object({ workloads: z.array(z.string()).max(1_000) });
const describedSchema = z.strictObject({
  from: z.string(),
  to: z.string().min(1),
  method: z.string().optional(),
  path: z.string().optional(),
  headers: z.array(z.tuple([z.string(), z.string()])).optional(),
});
const filesSchema = z.array(z.strictObject({ name: z.string().max(4_096), text: z.string() })).max(10_000);
const applySchema = z.strictObject({ files: filesSchema, dryRun: z.boolean().optional() });
const analyzeSchema = z.strictObject({ files: filesSchema.optional() });
const selectionSchema = z.strictObject({
  kind: z.string().optional(),
  name: z.string().optional(),
  namespace: z.string().optional(),
});
const deleteSchema = selectionSchema.extend({
  files: filesSchema.optional(),
  all: z.boolean().optional(),
  dryRun: z.boolean().optional(),
});
const filterSchema = z.strictObject({
  from: z.string().optional(),
  to: z.string().optional(),
  status: z.coerce.number().int().optional(),
  flag: z.string().optional(),
  direction: z.enum(['outbound', 'inbound', 'gateway']).optional(),
  requestId: z.string().optional(),
  traceId: z.string().optional(),
  since: z.coerce.number().optional(),
  limit: z.coerce.number().int().min(1).max(5_000).optional(),
});

/** One function per operation of the table; input is the path, query and body fields together. */
export function handlersFor(plane: ControlPlane): Handlers {
  const traceOf = (input: Input) => {
    const trace = plane.exchanges.trace(String(input['id']));
    if (trace === null)
      throw new ApiProblem(404, `nothing is known of the request ${String(input['id'])}`, 'mesh-sandbox tap shows ids');
    return trace;
  };
  return {
    status: () => plane.status(),
    services: () => plane.services(),
    workloads: () => plane.workloads(),
    edges: () => plane.edges.stats(),
    exchanges: (input) => plane.exchanges.find(parse(filterSchema, input) as ExchangeFilter),
    trace: traceOf,
    explain: (input) => {
      const trace = traceOf(input);
      return explain(trace.requestId, trace.exchanges);
    },
    explainRequest: (input) => plane.explainRequest(parse(describedSchema, input)),
    snapshot: () => plane.snapshot(),
    identities: () => plane.identities.views(),
    faults: () => plane.faults(),
    addFault: (input) => plane.addFault(parse(faultInputSchema, input)),
    updateFault: (input) =>
      plane.updateFault(String(input['name']), parse(z.object({ enabled: z.boolean() }), input).enabled),
    removeFault: async (input) => ({ removed: await plane.removeFaults(String(input['name'])) }),
    clearFaults: async () => ({ removed: await plane.removeFaults(null) }),
    resources: (input) => plane.policies.list(parse(selectionSchema, input)),
    applyResources: (input) => {
      const { files, dryRun } = parse(applySchema, input);
      return plane.policies.apply(files, dryRun ?? false);
    },
    diffResources: (input) => plane.policies.diff(parse(z.strictObject({ files: filesSchema }), input).files),
    analyzeResources: (input) => plane.policies.analyze(parse(analyzeSchema, input).files ?? []),
    deleteResources: (input) => {
      const { dryRun, ...which } = parse(deleteSchema, input);
      return plane.policies.delete(which, dryRun ?? false);
    },
    features: () => plane.features,
    setFeatures: (input) => plane.setFeatures(withoutUndefined(parse(featuresSchema, input))),
    load: () => plane.load(),
    setLoad: (input) => plane.setLoad(parse(loadSchema, input)),
    trustBundle: () => ({ pem: plane.identities.authority.rootPem }),
    timeline: () => plane.timeline,
    notices: () => plane.notices,
    mintJoinTokens: (input) => ({ tokens: plane.mintTokens(parse(tokensSchema, input).workloads) }),
    reportUsage: (input) => {
      const { usage } = parse(usageSchema, input);
      plane.reportUsage(usage);
      return { accepted: usage.length };
    },
    reportEndpoint: (input) => {
      plane.reportEndpoint(parse(endpointSchema, input));
      return { accepted: true };
    },
    probeEndpoint: async (input) => ({ accepts: await plane.probeEndpoint(parse(placeSchema, input)) }),
    reportPart: (input) => {
      const { part, event, detail } = parse(partSchema, input);
      plane.reportPart(part, event, detail);
      return { accepted: true };
    },
  };
}

function parse<T>(schema: z.ZodType<T>, input: Input): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw new ApiProblem(400, issues.join('; '));
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
