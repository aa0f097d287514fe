import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const OUTPUT_LIMIT_BYTES = 512 * 1024 * 1024;

/** An import that breaks a rule of `.dependency-cruiser.mjs`. */
export interface ForbiddenImport {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

/** What dependency-cruiser saw. */
export interface ImportReport {
  readonly fileCount: number;
  readonly forbidden: readonly ForbiddenImport[];
}

interface CruiseResult {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string; readonly comment: string }[] };
  };
}

/**
 * Runs the import rules of the repository in `rootDir` over the packages below `treeDir` (the same folder, but for the
 * planted violations).
 */
export async function checkImports(rootDir: string, treeDir: string): Promise<ImportReport> {
  const script = join(rootDir, 'node_modules/.bin/depcruise');
  const folders = ['libs', 'apps', 'tools'].filter((folder) => existsSync(join(treeDir, folder)));
  const args = [script, '--config', join(rootDir, '.dependency-cruiser.mjs'), '--output-type', 'json', ...folders];
  const options = { cwd: treeDir, maxBuffer: OUTPUT_LIMIT_BYTES };
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  return report(JSON.parse(stdout) as CruiseResult);
}

function report({ modules, summary }: CruiseResult): ImportReport {
  const whyByRule = new Map(summary.ruleSetUsed.forbidden.map(({ name, comment }) => [name, comment]));
  const forbidden = summary.violations.map(({ from, to, rule }) => ({
    rule: rule.name,
    from,
    to,
    why: whyByRule.get(rule.name) ?? '',
  }));
  return { fileCount: modules.filter(({ source }) => source.endsWith('.ts')).length, forbidden };
}
