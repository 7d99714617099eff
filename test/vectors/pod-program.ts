import { createServer, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { RecordingApp } from './recording-app.js';
import { type SentRequest, send } from './sender.js';

/** A pod of the cases as a program: its app on 9080, and on 9099 what the replay tells it to do. */
const app = new RecordingApp(process.env['POD'] ?? '', { host: '0.0.0.0', port: 9080 });

const ORDERS: Readonly<Record<string, (body: never) => unknown>> = {
  '/script': (script: Parameters<RecordingApp['script']>[0]) => app.script(script ?? undefined),
  '/forget': () => app.forget(),
  '/take': () => app.take(),
  '/send': (request: SentRequest) => send(request),
};

async function obey(request: IncomingMessage): Promise<unknown> {
  const order = ORDERS[request.url ?? ''];
  if (order === undefined) throw new Error(`no order ${request.url}`);
  return order(JSON.parse((await text(request)) || 'null') as never);
}

void app.script(undefined).then(() =>
  createServer((request, response) => {
    obey(request).then(
      (answer) => response.end(JSON.stringify(answer ?? null)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  }).listen(9099, '0.0.0.0'),
);
