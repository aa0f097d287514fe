import { readFileSync, writeFileSync } from 'node:fs';
import { assert } from '@niobe/kernel';

/** Writes `target` from `template` with every `{{name}}` replaced; a name without a value is a programmer's error. */
export function fillTemplate(
  template: string,
  target: string,
  values: Readonly<Record<string, string | number>>,
): void {
  const text = readFileSync(template, 'utf8').replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    assert(value !== undefined, `${template} asks for {{${name}}}, which has no value`);
    return String(value);
  });
  writeFileSync(target, text);
}
