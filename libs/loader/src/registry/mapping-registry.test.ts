import { describe, expect, it } from '@jest/globals';
import { MemorySharedMaps } from '@niobe/grid';
import { systemClock } from '@niobe/kernel';
import { mappingsOf, MEETINGS, SHOPPING } from '../../fixtures/shopping.ts';
import { MappingRegistry } from './mapping-registry.ts';

describe('MappingRegistry', () => {
  it('takes a mapping as it was, also beside others, and refuses another definition under its name', async () => {
    const maps = new MemorySharedMaps(systemClock);
    const registry = await MappingRegistry.open(maps);
    await Promise.all([registry.register(mappingsOf(SHOPPING)), registry.register(mappingsOf(SHOPPING, MEETINGS))]);
    await registry.register(mappingsOf(MEETINGS, SHOPPING));
    const changed = { ...SHOPPING, on: { ...SHOPPING.on, ...MEETINGS.on } };
    await expect(registry.register(mappingsOf(changed, MEETINGS))).rejects.toMatchObject({
      code: 'INCOMPATIBLE',
      message: expect.stringContaining('mapping shopping is not the one that was loaded'),
    });
    registry.close();
  });
});
