// An app: says its environment, keeps a child of its own (a grandchild of the keeper), and ends when asked to.
const { spawn } = require('node:child_process');
const { createServer } = require('node:http');

const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 60000)'], { stdio: 'ignore' });
const { PORT = '9080', BACK_URL = '' } = process.env;
const server = createServer((_request, response) => response.end('hello'));
server.listen(Number(PORT), () => console.log(`app ${JSON.stringify({ PORT, BACK_URL, child: child.pid })}`));
process.on('SIGTERM', () => process.exit(0));
