/** What can be brought over, in the order in which one does it. */
import type { SyncRun } from '@/api/types'

export type RunKind = Pick<SyncRun, 'entityType' | 'direction' | 'import'>

export const RUN_KINDS: RunKind[] = [
  { entityType: 'contacts', direction: 'pull' },
  { entityType: 'conversations', direction: 'pull' },
  { entityType: 'contacts', direction: 'push' },
]

/** Under which key of the locales it is named. */
export const kindKey = ({ entityType, direction, import: imported }: RunKind) =>
  imported?.dryRun ? `${entityType}_count` : `${entityType}_${direction}`
