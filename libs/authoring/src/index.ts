export { declarationOf, defineCell, type CellDefinition, type KeyOf, type NewRecordOf, type RecordOf } from './cell.ts';
export { defineCube, type CubeDefinition } from './cube.ts';
export { defineDeployment, type DeploymentDefinition, type TopicDefinition } from './deployment.ts';
export { defineEdge, type CounterDefinition, type CountersOf, type EdgeDefinition } from './edge.ts';
export { defineEvent, type EventDataOf, type EventDefinition, type EventOf } from './event.ts';
export { defineMapping, on, type MappedEvent, type MappingDefinition } from './mapping.ts';
export { toFiles } from './to-files.ts';
export {
  TypedCells,
  type CellClient,
  type CellReadOptions,
  type CellVersion,
  type CellWriteOptions,
  type TypedCell,
} from './typed-cells.ts';
