import type { Draw } from '../support/chance.js';
import { type Case, corpus } from './corpus.js';
import { anyCuts, anything } from './grammar.js';
import { Bed, type Outcome } from './requests.js';
import { work } from './work.js';

/** What came of a run: how much was sent, what of it was taken, and what went wrong. */
export interface Tally {
  messages: number;
  taken: number;
  refused: number;
  readonly faults: string[];
}

/** Faults that are told one by one; one is mostly the cause of many. */
const TOLD = 20;
/** One in so many refused messages is sent again, to see that the sidecar ends the connection of its own accord. */
const CLOSE_CHECKS = 8;

/** Every case of the corpus that `wanted` says yes to: as it was meant, and as everybody saw it. */
export async function checkCorpus(wanted: (n: number) => boolean = () => true): Promise<Tally> {
  const cases = [...corpus().entries()].filter(([n]) => wanted(n));
  return run(cases, async ([n, given], bed, tally) => {
    const id = String(n);
    const text = given.text(id);
    const outcome = await bed.run({ text, cuts: [] });
    const faults = [...outcome.faults, ...misjudged(given, id, outcome)];
    if (n % CLOSE_CHECKS === 0 && outcome.reading.tail === 'refused' && !(await bed.closes(text))) {
      faults.push('the sidecar does not close');
    }
    note(tally, outcome, faults, `${given.group}: ${given.name}`, text);
  });
}

/** A message for each draw. */
export async function checkDraws(all: Iterable<Draw>): Promise<Tally> {
  const cases = corpus();
  return run(all, async ({ seed, chance }, bed, tally) => {
    const text = anything(chance, cases, String(seed));
    const cuts = anyCuts(chance, text);
    const outcome = await bed.run({ text, cuts });
    const faults = [...outcome.faults];
    if (chance.below(CLOSE_CHECKS) === 0 && outcome.reading.tail === 'refused' && !(await bed.closes(text))) {
      faults.push('the sidecar does not close');
    }
    note(tally, outcome, faults, `TEST_SEED=${seed}, cut at ${cuts}`, text);
  });
}

async function run<T>(items: Iterable<T>, one: (item: T, bed: Bed, tally: Tally) => Promise<void>): Promise<Tally> {
  const tally: Tally = { messages: 0, taken: 0, refused: 0, faults: [] };
  const beds = await Promise.all(Array.from({ length: 8 }, () => Bed.open()));
  try {
    await work(items, beds, (item, bed) => one(item, bed, tally));
  } finally {
    for (const bed of beds) bed.close();
  }
  return tally;
}

function note(tally: Tally, { reading }: Outcome, faults: readonly string[], name: string, text: string): void {
  tally.messages++;
  tally.taken += reading.requests.length;
  if (reading.tail === 'refused') tally.refused++;
  if (faults.length === 0 || tally.faults.length >= TOLD) return;
  const told = faults.map((fault) => `  ${fault.slice(0, 500)}`).join('\n');
  tally.faults.push(`${name}\n  ${JSON.stringify(text.slice(0, 2_000))} (${reading.tail} ${reading.why})\n${told}`);
}

/** Where the case says otherwise than the reference or the answer. */
function misjudged(given: Case, id: string, { reading, heard }: Outcome): string[] {
  const [first] = reading.requests;
  const faults: string[] = [];
  if ((given.verdict === 'taken') !== (first !== undefined)) faults.push(`is not ${given.verdict}: ${reading.why}`);
  if (reading.requests.some(({ target }) => target.includes(`/i${id}`))) faults.push('what it smuggles is taken');
  const status = heard.answers.at(-1)?.status;
  if (given.status !== undefined && status !== given.status) faults.push(`answered ${status}, not ${given.status}`);
  const target = given.target?.(id);
  if (target !== undefined && first?.target !== target) faults.push(`target ${first?.target}, not ${target}`);
  if (given.host !== undefined && first?.host !== given.host) faults.push(`host ${first?.host}, not ${given.host}`);
  return faults;
}
