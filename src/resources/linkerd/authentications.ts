import { list, type Read, table, tableWith, text } from '../../yaml/readers.js';
import { networks, reference } from './words.js';

/** Who a caller proves to be: identities by name (`*` as the first part), or those of accounts and namespaces. */
export const meshTlsAuthentication = table({ identities: list(text), identityRefs: list(reference) });
export type MeshTlsAuthentication = Read<typeof meshTlsAuthentication>;

/** From where a caller comes. */
export const networkAuthentication = tableWith(['networks'], { networks });
export type NetworkAuthentication = Read<typeof networkAuthentication>;
