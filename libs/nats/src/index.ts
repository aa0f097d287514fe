export { connectNats, type NatsGrid, type NatsOptions } from './connect.ts';
