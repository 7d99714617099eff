/** What other programs may build on. More doors (test library, assertions) join it here. */
export { type MeshAddress, MeshApiError, MeshClient } from './client/mesh-client.js';
export type { Attempt, Decision, Exchange, Security } from './model/exchange.js';
export type { Explanation } from './model/explanation.js';
export type { Fault } from './model/fault.js';
export type { OperationName, RequestOf, ResponseOf } from './protocol/api.js';
export type * from './protocol/api-types.js';
export type { FaultInput } from './protocol/fault-input.js';
