import fc from 'fast-check'

/*
 * Property tests draw the same cases in every run, so that a change fails by what it changes and not by
 * chance. `npm run test:slow` draws others, and prints the seed of a failure; PROPERTY_SEED repeats it.
 */
const { PROPERTY_SEED, PLATEMARK_SLOW } = process.env
if (PROPERTY_SEED !== undefined) fc.configureGlobal({ seed: Number(PROPERTY_SEED) })
else if (PLATEMARK_SLOW !== '1') fc.configureGlobal({ seed: 20261 })
