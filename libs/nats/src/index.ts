export { connectNats, natsOptionsOf, type NatsGrid, type NatsOptions } from './connect.ts';
