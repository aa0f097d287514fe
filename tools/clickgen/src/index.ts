export {
  ClickGenerator,
  type Acknowledged,
  type ClickEvent,
  type ClickGeneratorOptions,
  type EventTarget,
} from './click-generator.ts';
export { ClickSequence, type Click, type ClickType } from './click-sequence.ts';
export { CollectorClient, type CollectorClientOptions, type Rejection } from './collector-client.ts';
export { Zipf } from './zipf.ts';
