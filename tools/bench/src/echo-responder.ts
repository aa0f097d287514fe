/** Answers every request on `bench.echo` with as many bytes as the request names: the wire alone. Run as a process of its own. */
import { connectAsTool } from '@niobe/tool-check';

const { bus } = await connectAsTool(process.argv[2] ?? '', 'bench');
bus.subscribe('bench.echo', (message) => {
  const view = new DataView(message.payload.buffer, message.payload.byteOffset);
  message.reply(new Uint8Array(view.getUint32(0, true)));
});
process.stdout.write('listening\n');
