/** The floor under a collector: a bare `node:http` server that reads the body and answers 202. Run as a process of its own. */
import { createServer } from 'node:http';

const ANSWER = Buffer.from('{"id":"0"}');

const server = createServer((request, response) => {
  request.on('data', () => undefined);
  request.on('end', () => {
    response.writeHead(202, { 'content-type': 'application/json', 'content-length': ANSWER.length });
    response.end(ANSWER);
  });
});
server.listen(Number(process.argv[2]), '127.0.0.1', 4_096, () => process.stdout.write('listening\n'));
