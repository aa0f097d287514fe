import type { GenericContainer, StartedTestContainer } from 'testcontainers';
import { freePort } from './free-port.ts';
import type { TestBroker } from './test-broker.ts';

const NATS_IMAGE = 'nats:2.12-alpine';
const NATS_PORT = 4222;
const KAFKA_IMAGE = 'apache/kafka:4.3.1';
const KAFKA_PORT = 9092;
const CONTROLLER_PORT = 9093;
const START_TIMEOUT_MS = 180_000;

/** A NATS with JetStream in a container, for machines with Docker and without a local nats-server. */
export async function startNatsContainer(): Promise<TestBroker> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer(NATS_IMAGE)
    .withCommand(['--jetstream'])
    .withExposedPorts(NATS_PORT)
    .withWaitStrategy(Wait.forLogMessage('Server is ready'))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
  return broker(container, `nats://${container.getHost()}:${container.getMappedPort(NATS_PORT)}`, NATS_IMAGE);
}

/** A Kafka in a container. Its port outside is chosen first, because the broker has to advertise it. */
export async function startKafkaContainer(): Promise<TestBroker> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const port = await freePort();
  const container = await configured(new GenericContainer(KAFKA_IMAGE), port)
    .withExposedPorts({ container: KAFKA_PORT, host: port })
    .withWaitStrategy(Wait.forLogMessage('Kafka Server started'))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
  return broker(container, `${container.getHost()}:${port}`, KAFKA_IMAGE);
}

function configured(container: GenericContainer, port: number): GenericContainer {
  return container.withEnvironment({
    KAFKA_NODE_ID: '1',
    KAFKA_PROCESS_ROLES: 'broker,controller',
    KAFKA_CONTROLLER_QUORUM_VOTERS: `1@localhost:${CONTROLLER_PORT}`,
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_LISTENERS: `PLAINTEXT://0.0.0.0:${KAFKA_PORT},CONTROLLER://localhost:${CONTROLLER_PORT}`,
    KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://localhost:${port}`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
    KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS: '8',
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
  });
}

function broker(container: StartedTestContainer, address: string, image: string): TestBroker {
  return { address, description: `${image} in Docker`, stop: () => container.stop().then(() => undefined) };
}
