import { oneOf, type Read, reader, tableWith, unsupported } from '../../yaml/readers.js';
import { textShape } from '../../yaml/shape.js';
import { inboundPolicy, podSelector } from './words.js';

/** A port by number, or by the name that a container gives it. */
const port = reader<number | string>(textShape('a port, or the name of one'), (view, where, findings) => {
  const written = view.text(where);
  if (written === null) return undefined;
  if (!/^\d+$/.test(written)) return written;
  const number = Number(written);
  if (number >= 1 && number <= 65_535) return number;
  findings.problem(view.source, `${where} must be a port from 1 to 65535`);
  return undefined;
});

/** What is opaque is known by the Service's port here, or by the annotation. */
const proxyProtocol = reader<string>(
  textShape('', ['unknown', 'HTTP/1', 'HTTP/2', 'gRPC', 'opaque', 'TLS']),
  (view, where, findings) => {
    const word = oneOf(['unknown', 'HTTP/1', 'HTTP/2', 'gRPC', 'opaque', 'TLS'])(view, where, findings);
    if (word === 'opaque' || word === 'TLS')
      findings.unsupported(
        view.source,
        `${where} ${word}`,
        'name the port tcp, or set config.linkerd.io/opaque-ports at its Service',
      );
    return word;
  },
);

/** One port of some pods, about which authorizations, routes and limits say more (policy.linkerd.io Server). */
export const server = tableWith(['port'], {
  podSelector,
  externalWorkloadSelector: unsupported('workloads are those of the Compose file: choose them by podSelector'),
  port,
  proxyProtocol,
  accessPolicy: inboundPolicy,
});

export type Server = Read<typeof server>;
