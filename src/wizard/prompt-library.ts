/** What we use of the package of terminal prompts: a file of its own in the build, read only by create and edit. */
export { default as input } from '@inquirer/input';
export { default as search } from '@inquirer/search';
export { default as select } from '@inquirer/select';
