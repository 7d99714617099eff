import type { Filter, Handler } from './call.js';

/**
 * A pipeline that reads top-down in the order in which a request meets it. Each filter may raise the stage of knowledge;
 * one in the wrong place does not compile. Composed once per sidecar, so that a request pays for plain calls only.
 */
export interface Pipeline<In, Now> {
  through<Out>(filter: Filter<Now, Out>): Pipeline<In, Out>;
  end(handler: Handler<Now>): Handler<In>;
}

export function pipeline<In>(): Pipeline<In, In> {
  return grow((handler) => handler);
}

function grow<In, Now>(compose: (handler: Handler<Now>) => Handler<In>): Pipeline<In, Now> {
  return {
    through: <Out>(filter: Filter<Now, Out>) => grow<In, Out>((handler) => compose(filter(handler))),
    end: compose,
  };
}
