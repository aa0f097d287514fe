export { type BrokerProcess } from './brokers/broker-process.ts';
export { brokerSources, type BrokerSources, type KafkaSource, type NatsSource } from './brokers/broker-sources.ts';
export { freePort, freePorts, isPortFree } from './brokers/free-port.ts';
export { startKafka, type KafkaOptions, type KafkaServer } from './brokers/kafka-server.ts';
export { startNats, type NatsOptions, type NatsServer } from './brokers/nats-server.ts';
export { useKafka, useNats, type TestBroker } from './brokers/test-broker.ts';
export { dataFile, type DataFile } from './data-file.ts';
export {
  describeWhen,
  describeWithData,
  describeWithKafka,
  describeWithLocalKafka,
  describeWithLocalNats,
  describeWithNats,
} from './describe-when.ts';
