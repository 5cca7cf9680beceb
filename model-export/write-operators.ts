import { writeFileAtomic } from './atomic-write.js'
import { operatorsPage } from './operators-page.js'

/* Writes docs/operators.md: npm run build && node dist/model-export/write-operators.js */

await writeFileAtomic(new URL('../../docs/operators.md', import.meta.url).pathname, operatorsPage())
