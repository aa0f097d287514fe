import { systemClock } from '@niobe/kernel';
import { sharedMapContract } from '@niobe/testing';
import { MemorySharedMaps } from './memory-shared-maps.ts';

sharedMapContract('MemorySharedMaps', async () => {
  const maps = new MemorySharedMaps(systemClock);
  return { one: maps, other: maps, close: () => maps.close() };
});
