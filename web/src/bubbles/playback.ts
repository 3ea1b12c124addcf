/** One sound at a time: starting one pauses the other. */
let pauseCurrent: (() => void) | null = null

export function claimPlayback(pause: () => void): void {
  if (pauseCurrent !== pause) pauseCurrent?.()
  pauseCurrent = pause
}

export function releasePlayback(pause: () => void): void {
  pause()
  if (pauseCurrent === pause) pauseCurrent = null
}
