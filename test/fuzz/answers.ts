import { connect, type Socket } from 'node:net';
import type { Chance, Draw } from '../support/chance.js';
import { beforeBackend } from '../support/raw-backend.js';
import type { Tally } from './check-requests.js';
import { isRefusal, type ReadAnswer, readAnswer } from './reference.js';
import { work } from './work.js';

/** What a rogue back end does with one request. */
interface Script {
  readonly text: string;
  readonly cuts: readonly number[];
  /** What it does when it has written all. `stays` only behind an answer that is whole. */
  readonly after: 'ends' | 'resets' | 'stays' | 'slips';
}

const SLIPPED = 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nx-id: slipped\r\n\r\nslipped';
const STATUS = [
  '200 OK',
  '200',
  '204 No Content',
  '304 Not Modified',
  '404 Not Found',
  '500 x',
  '299 ',
  '999 y',
  '205 Reset',
];
const ODD_STATUS = [
  '099 x',
  '1000 x',
  '20 x',
  '2x0 x',
  ' 200 OK',
  '200\tOK',
  '',
  '101 Switching',
  '+200',
  '200 \xff',
  '200 \0',
];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'];
const ODD_VERSIONS = ['HTTP/2', 'HTTP/1.2', 'http/1.1', 'ICY', '\r\nHTTP/1.1', ' HTTP/1.1', 'HTTP/1.1 HTTP/1.1', ''];
const INTERIM = ['', '', '', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'];
const ODD_INTERIM = [
  'HTTP/1.1 100 Continue\r\n\r\n'.repeat(9),
  'HTTP/1.1 102 P\r\nContent-Length: 4\r\n\r\n',
  'HTTP/1.1 103 E\r\nX : 1\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
];
const FIELDS = [
  'X-A: 1',
  'x_b: 2',
  'X.C:3',
  'Set-Cookie: a=b',
  'Date: now',
  'Connection: close',
  'Connection: X-A',
  'Keep-Alive: timeout=5',
  'Trailer: X-T',
  'Via: 1.1 x',
  'X-E:',
];
const ODD_FIELDS = [
  'X : 1',
  'X: a\r\n folded',
  ' X: 1',
  'X: \0',
  'X: \xe9',
  ': x',
  'X',
  'X: 1\nY: 2',
  'X: 1\rY: 2',
  'Content-Length: 4',
  'Content-Length: 0',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip',
  'Connection: upgrade\r\nUpgrade: websocket',
  `X: ${'x'.repeat(17_000)}`,
  `${'X: 1\r\n'.repeat(101)}Y: 1`,
];
const ODD_LENGTHS = ['-1', '+4', '4, 4', '4,4', '0x4', '', '99999999999999999999', '4 4'];
const ODD_CODINGS = ['gzip, chunked', 'chunked, chunked', 'xchunked', '', 'identity', 'chunked;'];
const ODD_SIZES = ['0x4', '+4', 'g', '', '4 ', '-4', '4\n', '0000000000000004'];

/** An answer to a request of this id, in one of three framings, odd in places. */
function anyAnswer(chance: Chance, id: string): string {
  const odds = chance.of([0, 0, 5, 15, 40]);
  const odd = (): boolean => chance.below(100) < odds;
  const pick = <T>(plain: readonly T[], strange: readonly T[]): T => chance.of(odd() ? strange : plain);
  let text = pick(INTERIM, ODD_INTERIM);
  text += `${pick(VERSIONS, ODD_VERSIONS)} ${pick(STATUS, ODD_STATUS)}\r\nx-id: ${id}\r\n`;
  for (let n = chance.below(4); n > 0; n--) text += `${pick(FIELDS, ODD_FIELDS)}\r\n`;
  const content = `own ${id} ${'.'.repeat(chance.of([0, 1, 100, 20_000]))}`;
  const end = odd() ? chance.of(['\n', '\r\n \r\n', '\r\n\r', '\n\n']) : '\r\n';
  switch (chance.below(4)) {
    case 0:
      return `${text}${end}${content}`;
    case 1: {
      const length = odd()
        ? chance.of([...ODD_LENGTHS, String(content.length + 3), String(content.length - 3)])
        : content.length;
      return `${text}Content-Length: ${length}\r\n${end}${content}`;
    }
    default: {
      const cut = chance.below(content.length);
      const chunk = (data: string): string => {
        if (data === '') return '';
        const size = odd() ? chance.of(ODD_SIZES) : data.length.toString(16);
        return `${size}${chance.of(['', '', ';a=b'])}\r\n${data}${odd() ? chance.of(['', '\n', 'xx']) : '\r\n'}`;
      };
      const trailers = pick(['', '', 'X-T: 1\r\n'], ['Content-Length: 1\r\n', 'X : 1\r\n', 'X']);
      const coding = `Transfer-Encoding: ${odd() ? chance.of(ODD_CODINGS) : 'chunked'}`;
      return `${text}${coding}\r\n${end}${chunk(content.slice(0, cut))}${chunk(content.slice(cut))}0\r\n${trailers}\r\n`;
    }
  }
}

function anyScript(chance: Chance, id: string, method: string): Script {
  let text = anyAnswer(chance, id);
  if (chance.below(6) === 0) text = text.slice(0, chance.below(text.length + 1));
  const whole = wholeOf(text, method, false);
  // Behind an answer that is whole: another one that nobody asked for.
  const slipped = whole !== null && whole.end === text.length && chance.below(3) === 0;
  if (slipped) text += chance.of([SLIPPED, 'x', '\r\n', '\0', SLIPPED.repeat(3)]);
  const cuts = Array.from({ length: chance.of([0, 0, 1, 3]) }, () => chance.below(text.length + 1));
  const after =
    whole === null ? chance.of(['ends', 'ends', 'resets'] as const) : chance.of(['ends', 'stays', 'slips'] as const);
  return { text, cuts, after: whole?.close && after === 'slips' ? 'stays' : after };
}

/** The answer, null if it broke off or is none. */
function wholeOf(text: string, method: string, ended: boolean): ReadAnswer | null {
  try {
    return readAnswer(text, 0, method, ended);
  } catch (thrown) {
    if (isRefusal(thrown)) return null;
    throw thrown;
  }
}

type Bench = Awaited<ReturnType<typeof rogueBench>>;

async function rogueBench() {
  let script: Script = { text: '', cuts: [], after: 'ends' };
  let slipping: Socket | null = null;
  const bed = await beforeBackend((socket, all) => {
    const heads = all.split('\r\n\r\n').length - 1;
    if (heads === 0 || !all.slice(-4).endsWith('\r\n\r\n')) return;
    const line = all.slice(all.lastIndexOf('\r\n\r\n', all.length - 5) + 1);
    if (line.includes('/honest'))
      return void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\nx-id: honest\r\n\r\nhonest');
    const { text, cuts, after } = script;
    const places = [0, ...[...cuts].sort((a, b) => a - b), text.length];
    const write = (n: number): void => {
      const to = places[n + 1];
      if (socket.destroyed) return;
      if (to !== undefined) socket.write(text.slice(places[n], to), 'latin1', () => setImmediate(write, n + 1));
      else if (after === 'ends') socket.end();
      else if (after === 'resets') socket.resetAndDestroy();
      else if (after === 'slips') slipping = socket;
    };
    write(0);
  });
  return {
    bed,
    play(next: Script) {
      script = next;
      slipping = null;
    },
    /** An answer out of the blue on the connection that is idle now: the sidecar must end it. */
    async slip() {
      const socket = slipping as Socket | null;
      if (socket === null || socket.destroyed || socket.writableEnded) return;
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write(SLIPPED, 'latin1');
      await closed;
    },
  };
}

/** One answer for each draw: the caller gets it whole, or 502 or 503, or a connection that breaks, and nobody else's. */
export async function checkAnswers(all: Iterable<Draw>): Promise<Tally> {
  const tally: Tally = { messages: 0, taken: 0, refused: 0, faults: [] };
  const benches = await Promise.all(Array.from({ length: 8 }, rogueBench));
  try {
    await work(all, benches, (draw, bench) => checkOne(draw, bench, tally));
  } finally {
    for (const { bed } of benches) bed.close();
  }
  return tally;
}

async function checkOne({ seed, chance }: Draw, bench: Bench, tally: Tally): Promise<void> {
  const { bed } = bench;
  const method = chance.of(['GET', 'GET', 'HEAD', 'DELETE']);
  const script = anyScript(chance, String(seed), method);
  bench.play(script);
  const received = await ask(bed.port, method, `/${seed}`);
  const faults = judge(script, method, received);
  tally.messages++;
  if (/^HTTP\/1\.1 50[23] [\s\S]*server: mesh-sandbox/.test(received)) tally.refused++;
  else tally.taken++;
  await bench.slip();
  const next = await ask(bed.port, 'GET', '/honest');
  if (!/^HTTP\/1\.1 200 [\s\S]*\r\n\r\nhonest$/.test(next)) faults.push(`the next one got ${JSON.stringify(next)}`);
  for (const bug of bed.bugs) faults.push(`a bug: ${String(bug)}`);
  bed.records();
  if (faults.length === 0 || tally.faults.length >= 20) return;
  const told = faults.map((fault) => `  ${fault.slice(0, 500)}`).join('\n');
  tally.faults.push(
    `TEST_SEED=${seed} ${method} ${JSON.stringify({ ...script, text: script.text.slice(0, 1_500) })}\n${told}`,
  );
}

function judge({ text, after }: Script, method: string, received: string): string[] {
  const faults: string[] = [];
  if (received.includes('slipped')) faults.push(`got what was slipped in: ${JSON.stringify(received)}`);
  if (received.includes(NO_END)) faults.push('no end');
  const wanted = wholeOf(text, method, after === 'ends');
  const got = wholeOf(received, method, false);
  const own = got !== null && (got.status === 502 || got.status === 503) && got.lines.includes('server: mesh-sandbox');
  const told = JSON.stringify(received.slice(0, 300));
  if (got !== null && got.end !== received.length) faults.push(`something behind the answer: ${told}`);
  if (wanted === null || wanted.status === 101) {
    // Not whole, or no HTTP: a failure, or the beginning of an answer that visibly breaks off. Of a 205 only the head counts.
    if (got !== null && !own && got.status !== 205) faults.push(`got a whole answer: ${told}`);
    return faults;
  }
  // What a reset overtakes is lost.
  if (after === 'resets' && (got === null || own)) return faults;
  // Until the end of the connection: a sidecar that saw no end must not tell one.
  if (got === null || own) return [...faults, `did not get the answer: ${told}`];
  const lines = (answer: ReadAnswer): string => answer.lines.filter((line) => !line.startsWith('server:')).join('|');
  const body = wanted.status === 205 ? '' : wanted.body;
  if (got.status !== wanted.status || got.body !== body) faults.push(`got another answer: ${told}`);
  if (lines(got) !== lines(wanted)) faults.push(`got other fields: ${lines(got)}, not ${lines(wanted)}`);
  if (got.trailers.join() !== wanted.trailers.join() && wanted.status !== 205)
    faults.push(`got other trailers: ${told}`);
  return faults;
}

const PATIENCE_MS = 20_000;
const NO_END = '(neither an answer nor an end)';

/** Everything that comes back until the connection is over. */
function ask(port: number, method: string, path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let received = '';
    socket.setTimeout(PATIENCE_MS, () => {
      received += NO_END;
      socket.destroy();
    });
    socket.setEncoding('latin1').on('data', (data: string) => {
      received += data;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
    socket.write(`${method} ${path} HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n`);
  });
}
