/**
 * Jest's functions for the contract suites of this library. The package @jest/globals refuses to load outside Jest, but
 * tools load this library for its broker launcher; so only the types come from there. Outside Jest these are undefined.
 */
import type * as jestGlobals from '@jest/globals';

type JestGlobals = typeof jestGlobals;

const globals = globalThis as unknown as JestGlobals;

/** @public */
export const describe: JestGlobals['describe'] = globals.describe;
/** @public */
export const it: JestGlobals['it'] = globals.it;
/** @public */
export const expect: JestGlobals['expect'] = globals.expect;
/** @public */
export const beforeAll: JestGlobals['beforeAll'] = globals.beforeAll;
/** @public */
export const beforeEach: JestGlobals['beforeEach'] = globals.beforeEach;
/** @public */
export const afterAll: JestGlobals['afterAll'] = globals.afterAll;
/** @public */
export const afterEach: JestGlobals['afterEach'] = globals.afterEach;
