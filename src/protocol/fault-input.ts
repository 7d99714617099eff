import * as z from 'zod';
import { CONNECTION_FAULTS } from '../model/fault.js';

/** What a caller of the API may write for a fault; everything else is refused by name. */
export const faultInputSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a name is lower-case letters, digits and dashes')
    .optional(),
  to: z.string().min(1),
  from: z.string().min(1).optional(),
  path: z.string().startsWith('/', 'a path starts with /').optional(),
  headers: z.record(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'not a header name'), z.string()).optional(),
  delayMs: z.number().int().min(0).max(600_000).optional(),
  jitterMs: z.number().int().min(0).max(600_000).optional(),
  abort: z.number().int().min(200).max(599).optional(),
  reset: z.boolean().optional(),
  blackhole: z.boolean().optional(),
  connection: z.enum(CONNECTION_FAULTS).optional(),
  bytesPerSecond: z.number().int().min(1).max(1_000_000_000).optional(),
  truncateAfter: z.number().int().min(0).max(1_000_000_000).optional(),
  corrupt: z.boolean().optional(),
  slowCloseMs: z.number().int().min(0).max(600_000).optional(),
  percent: z.number().min(0).max(100).optional(),
  first: z.number().int().min(1).optional(),
  every: z.number().int().min(1).optional(),
  /** How long it acts from now on, ms. */
  forMs: z.number().int().min(1).max(86_400_000).optional(),
});

export type FaultInput = z.infer<typeof faultInputSchema>;
