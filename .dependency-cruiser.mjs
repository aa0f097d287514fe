/** The import rules, made from layers.json. Run by tools/layer-check, which also proves that each kind of rule can fail. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import swcVisitor from '@swc/core/Visitor.js';

const { layers, tests } = JSON.parse(readFileSync(join(import.meta.dirname, 'layers.json'), 'utf8'));

// The walker that comes with swc does not know `using` and gives up on the whole tree. What matters of the statement here
// is what its right-hand sides import.
const { prototype } = swcVisitor.Visitor;
const { visitStatement } = prototype;
prototype.visitStatement = function visitAnyStatement(statement) {
  if (statement.type !== 'UsingDeclaration') return visitStatement.call(this, statement);
  for (const { init } of statement.decls) this.visitExpression(init);
  return statement;
};

const TEST_FILE = '(\\.(test|sim|bench)\\.ts$|/(test|fixtures)/)';
const DOING_IO = '^(node:)?(fs|net|http|https|http2|tls|dgram|dns|child_process|cluster)(/|$)';

const anyOf = (names) => `(${names.map((name) => name.replace('/', '\\/')).join('|')})`;
const folder = (layer) => (layer === 'apps' || layer === 'tools' ? `^${layer}/([^/]+)/` : `^libs/${layer}/`);
const libraries = (names) =>
  names.map((name) => (name === 'apps' || name === 'tools' ? `^${name}/` : `^libs/${name}/`));
const own = (layer) => (layer === 'apps' || layer === 'tools' ? `^${layer}/$1/` : `^libs/${layer}/`);
const packages = (names) => (names.length === 0 ? [] : [`node_modules/${anyOf(names)}/`]);

function rule(name, comment, from, to) {
  return { name, severity: 'error', comment, from, to };
}

/** The rules of one layer: for its shipped files, and for its tests, which may import more. */
function rulesOf([layer, { imports, npm, io }]) {
  const shipped = { path: folder(layer), pathNot: TEST_FILE };
  const tested = { path: `${folder(layer)}.*${TEST_FILE}` };
  const sources = '^(libs|apps|tools)/';
  const rules = [
    rule(`layer-${layer}`, `${layer} may import ${imports.join(', ') || 'no layer'}`, shipped, {
      path: sources,
      pathNot: [own(layer), ...libraries(imports)],
    }),
    rule(`layer-${layer}-tests`, `tests of ${layer} may also import ${tests.imports.join(', ')}`, tested, {
      path: sources,
      pathNot: [own(layer), ...libraries([...imports, ...tests.imports])],
    }),
  ];
  // What a tool needs is its own matter; that it is declared is checked by knip.
  if (layer !== 'tools') {
    rules.push(
      rule(`npm-${layer}`, `${layer} may import from npm: ${npm.join(', ') || 'nothing'}`, shipped, {
        path: 'node_modules/',
        pathNot: packages(npm),
      }),
      rule(`npm-${layer}-tests`, `tests of ${layer} may also import ${tests.npm.join(', ')}`, tested, {
        path: 'node_modules/',
        pathNot: packages([...npm, ...tests.npm]),
      }),
    );
  }
  if (!io) {
    const to = { dependencyTypes: ['core'], path: DOING_IO };
    rules.push(rule(`io-${layer}`, `${layer} does no input or output`, shipped, to));
  }
  return rules;
}

export default {
  forbidden: [
    ...Object.entries(layers).flatMap(rulesOf),
    rule(
      'one-door',
      'another package is imported by its name, which leads to its src/index.ts',
      { path: '^(libs|apps|tools)/([^/]+)/' },
      { path: '^(libs|apps|tools)/', pathNot: ['^$1/$2/', '^(libs|apps|tools)/[^/]+/src/index\\.ts$'] },
    ),
    rule('unresolved', 'every import leads somewhere', {}, { couldNotResolve: true }),
  ],
  options: {
    // Named, because dependency-cruiser knows no parser of TypeScript 7 and would choose by what is installed.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@niobe/source', 'node', 'import', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.json', '.d.ts'],
    },
  },
};
