// What the unit and the integration runs share.
export const base = {
  rootDir: import.meta.dirname,
  roots: ['<rootDir>/libs', '<rootDir>/apps', '<rootDir>/tools'],
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@niobe/source', 'node', 'import', 'default'] },
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'mjs', 'js', 'json', 'node'],
  transform: { '\\.ts$': '<rootDir>/jest.transform.mjs' },
  modulePathIgnorePatterns: ['/dist/'],
  coverageProvider: 'v8',
  coverageDirectory: '<rootDir>/coverage',
  maxWorkers: 2,
};
