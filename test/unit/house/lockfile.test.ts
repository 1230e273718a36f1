/** `npm ci` refuses a lockfile in which an optional package of any platform is missing, so the lockfile names them all. */
import { readFileSync } from 'node:fs';

import test from 'ava';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = JSON.parse(readFileSync(new URL('../../../../package-lock.json', import.meta.url), 'utf8')) as {
  packages: Readonly<Record<string, LockedPackage>>;
};
const folders = Object.keys(packages).filter((folder) => folder !== '');

test('every optional package is locked', (t) => {
  const wanted = folders.flatMap((folder) => Object.keys(packages[folder]?.optionalDependencies ?? {}));
  t.true(wanted.length > 10);
  t.deepEqual(
    wanted.filter((name) => !folders.some((folder) => folder.endsWith(`node_modules/${name}`))),
    [],
  );
});

test('every package has its checksum, and comes from no place of its own', (t) => {
  const doubtful = folders.filter((folder) => {
    const { resolved, integrity = '' } = packages[folder] ?? {};
    return !integrity.startsWith('sha512-') || !(resolved?.startsWith('https://registry.npmjs.org/') ?? true);
  });
  t.deepEqual(doubtful, []);
});

test('every direct dependency has one exact version', (t) => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8')) as {
    dependencies: Readonly<Record<string, string>>;
    devDependencies: Readonly<Record<string, string>>;
  };
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) t.regex(version, /^\d+\.\d+\.\d+$/, name);
});
