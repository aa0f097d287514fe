export { BatchSender, type BatchSenderOptions, type EventLine } from './batch-sender.ts';
export { CubeClient, type CubeRow } from './cube-client.ts';
export { retailLines, RETAIL_ROWS } from './retail/retail-lines.ts';
export { LocalSystem, type LocalSystemOptions } from './system/local-system.ts';
export { ServiceProcess } from './system/service-process.ts';
export { connectAsTool } from './system/connect.ts';
