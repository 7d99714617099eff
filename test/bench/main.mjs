// npm run bench [-- --quick]: every figure that is promised, as reached / target. Peers that are missing are named.
import { cpus, totalmem } from 'node:os';
import { dataPlane, installed } from './data-plane.mjs';
import { comebacks, engineAnswers, helpTime, imageAssembly, restarts, sidecarMemory, upAndDown } from './sandbox.mjs';

const quick = process.argv.includes('--quick');
const rows = [];
const row = (figure, reached, target, note = '') => {
  rows.push({ figure, reached, target, note });
  console.log(`${figure}: ${reached} (target ${target})${note === '' ? '' : `  ${note}`}`);
};
const seconds = (value) => `${value.toFixed(2)} s`;

console.log(
  `${new Date().toISOString().slice(0, 10)}, Node.js ${process.version}, ${cpus().length} x ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
);
const docker = engineAnswers();
if (!docker) console.log('no Docker Engine answers: its figures are missing');

row('--help', `${Math.round(helpTime())} ms`, '150 ms');
for (const [runtime, target] of [['local', '2.5 s'], ...(docker ? [['docker', '5 s']] : [])]) {
  const { up, down, upMax, downMax } = await upAndDown(runtime, quick ? 2 : 5);
  row(`up -d of bookinfo to the first 200, ${runtime}`, seconds(up), target, `max ${seconds(upMax)}`);
  row(`down, ${runtime}`, seconds(down), '3 s', `max ${seconds(downMax)}`);
}
if (docker) row('image assembled offline', seconds(await imageAssembly()), '10 s');
for (const runtime of docker ? ['docker', 'local'] : ['local']) {
  const { idle, loaded, load } = await sidecarMemory(runtime, 500, quick ? 15 : 60);
  row(`sidecar memory idle, ${runtime}`, `${idle.median.toFixed(1)} MiB`, '25 MiB', `max ${idle.max.toFixed(1)}`);
  row(
    `sidecar memory after ${quick ? 15 : 60} s at 500 requests/s, ${runtime}`,
    `${loaded.median.toFixed(1)} MiB`,
    '50 MiB',
    `max ${loaded.max.toFixed(1)}; ${load}`,
  );
}
for (const runtime of docker ? ['docker', 'local'] : ['local']) {
  const requests = quick ? 1_000 : 10_000;
  const { statuses, seen, duplicates } = await restarts(runtime, requests, 5);
  row(
    `${requests} requests, control plane killed 5 times, ${runtime}`,
    `${JSON.stringify(statuses)}, ${duplicates} duplicates`,
    `{"200":${requests}}, 0 duplicates`,
    `seen by the apps: ${Object.entries(seen)
      .map(([app, count]) => `${app} ${count}`)
      .join(', ')}`,
  );
}
for (const runtime of docker ? ['docker', 'local'] : ['local']) {
  const { sidecar, controlPlane } = await comebacks(runtime, quick ? 1 : 5);
  row(`a killed sidecar is back, slowest, ${runtime}`, seconds(sidecar), '2 s');
  row(`a killed control plane is back, slowest, ${runtime}`, seconds(controlPlane), '2 s');
}
if (installed('nginx') && installed('wrk')) {
  const results = await dataPlane(quick ? { rounds: 2, seconds: 2 } : { rounds: 11, seconds: 2 });
  const ours = results[0];
  for (const peer of results.slice(1)) {
    const target = peer.name === 'nginx' ? '<= 2.4x' : peer.name.startsWith('http-proxy') ? '<= 0.4x' : '-';
    const ratios = ours.samples.map((sample, i) => sample / peer.samples[i]).sort((a, b) => a - b);
    row(
      `CPU per request, plain hop, vs ${peer.name}`,
      `${ratios[ratios.length >> 1].toFixed(2)}x`,
      target,
      `${ours.microsPerRequest.toFixed(1)} vs ${peer.microsPerRequest.toFixed(1)} us, ${ratios[0].toFixed(2)}-${ratios[ratios.length - 1].toFixed(2)}x`,
    );
  }
  if (!installed('haproxy')) console.log('haproxy is not installed: not measured');
} else console.log('nginx or wrk is not installed: the data plane was not measured');

console.log('\n| figure | reached | target | |\n|---|---|---|---|');
for (const { figure, reached, target, note } of rows) console.log(`| ${figure} | ${reached} | ${target} | ${note} |`);
