/** What speaks on a port. `auto`: each connection is looked at. */
export type AppProtocol = 'http' | 'tcp' | 'auto';
