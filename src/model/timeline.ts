/** Something that a sidecar did to its view of the mesh, on its own: shown on the timeline. */
export interface Incident {
  /** Epoch ms of the reporting sidecar's clock. */
  readonly at: number;
  /** Workload whose sidecar it is. */
  readonly reporter: string;
  /**
   * `ejected`, `spared` (an ejection that did not fit into the share allowed), `returned`: Envoy's way. `opened`,
   * `probed`, `closed`: Linkerd's. `shed` and `relieved`: the sidecar itself is out of memory, or no longer.
   */
  readonly kind: 'ejected' | 'spared' | 'returned' | 'opened' | 'probed' | 'closed' | 'shed' | 'relieved';
  /** The endpoint's service and workload, and its address; '' where it is about the sidecar itself. */
  readonly service: string;
  readonly workload: string;
  readonly endpoint: string;
  /** One sentence without the final full stop. */
  readonly text: string;
}
