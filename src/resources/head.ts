import type { SourceRef } from '../model/source.js';
import type { YamlView } from '../yaml/view.js';

/** What every resource begins with. */
export interface Head {
  readonly apiVersion: string;
  readonly versionSource: SourceRef;
  readonly kind: string;
  readonly kindSource: SourceRef;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly created: number | null;
  /** What its reader reads, where that is not a part of the document. */
  readonly body?: YamlView;
}
