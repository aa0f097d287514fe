export { type BrokerProcess } from './brokers/broker-process.ts';
export { brokerSources, type BrokerSources, type KafkaSource, type NatsSource } from './brokers/broker-sources.ts';
export { freePort, freePorts, isPortFree } from './brokers/free-port.ts';
export { startKafka, type KafkaOptions, type KafkaServer } from './brokers/kafka-server.ts';
export { startNats, type NatsOptions, type NatsServer } from './brokers/nats-server.ts';
export { repositoryDir } from './brokers/repository.ts';
export { useKafka, useNats, type TestBroker } from './brokers/test-broker.ts';
export { backupStoreContract, type BackupStoreFixture } from './contracts/backup-store.ts';
export { busContract, type BusFixture } from './contracts/bus.ts';
export { eventLogContract, type EventLogFixture } from './contracts/event-log.ts';
export { KillableNats } from './contracts/killable-nats.ts';
export { sharedMapContract, type SharedMapsFixture } from './contracts/shared-map.ts';
export { dataFile, type DataFile } from './data-file.ts';
export {
  describeWhen,
  describeWithData,
  describeWithKafka,
  describeWithLocalKafka,
  describeWithLocalNats,
  describeWithNats,
} from './describe-when.ts';
export { StoreShard } from './store-shard.ts';
export {
  LARGE_CELLS,
  modelStep,
  modelSteps,
  SMALL_CELLS,
  type ModelScale,
  type ModelStep,
} from './stores/model-steps.ts';
export { addEncounters, ModelTrial, noEncounters, type ModelEncounters } from './stores/model-trial.ts';
export { ThreadsTrial, type ThreadsFindings } from './stores/threads-trial.ts';
export { BYTE_READERS, garbage, refuses } from './stores/byte-garbage.ts';
export { DamageTrials, type DamageCounts } from './stores/damage-trials.ts';
export { FullTrial, type FullFindings } from './stores/full-trial.ts';
export { OverwrittenStore, type KeyChoice } from './stores/overwritten-store.ts';
export { SoakTrial, type SoakFindings } from './stores/soak-trial.ts';
export { zipfNumbers } from './stores/zipf.ts';
