import { builtinModules } from 'node:module';

import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const nodeGlobals = Object.fromEntries(Object.getOwnPropertyNames(globalThis).map((name) => [name, 'readonly']));

const barePrefix = builtinModules
  .filter((name) => !name.startsWith('_') && !name.includes(':'))
  .map((name) => ({ name, message: `Import node:${name}.` }));

/** Only cli/ reads the command line and ends the process. */
const processMembers = ['exit', 'argv', 'argv0', 'abort', 'reallyExit'];

const focusedOrSkipped = {
  selector: 'MemberExpression[object.name="test"][property.name=/^(only|skip|todo|failing)$/]',
  message: 'Every test runs, and every test can fail.',
};

export default defineConfig(
  { ignores: ['dist/', 'dist-*/', 'coverage/', '.demo/', '.cache/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  {
    rules: {
      eqeqeq: 'error',
      'max-lines': ['error', { max: 400 }],
      'no-restricted-imports': ['error', { paths: barePrefix }],
      'prefer-const': 'error',
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: { ecmaVersion: 2023, sourceType: 'module', globals: nodeGlobals },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // An explicit default is a decision: what is not named is refused.
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Node hands sockets over as Duplex and requests as Readable; telling which they are is an assertion.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // A closed union may have one member until the next kind arrives.
      '@typescript-eslint/consistent-type-definitions': 'off',
      // Implementations of a contract that promises stay `async` without an await, so that they reject and never throw.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines-per-function': ['error', { max: 100, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        ...processMembers.map((property) => ({ object: 'process', property, message: 'Only src/cli/ reads argv and ends the process.' })),
      ],
      'no-restricted-imports': [
        'error',
        {
          paths: [
            ...barePrefix,
            { name: 'node:process', importNames: processMembers, message: 'Only src/cli/ reads argv and ends the process.' },
          ],
        },
      ],
    },
  },
  {
    files: ['src/cli/**/*.ts'],
    rules: {
      'no-console': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-imports': ['error', { paths: barePrefix }],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', focusedOrSkipped],
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
