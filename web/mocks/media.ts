/** Small real files for the fake API: pictures as SVG, sound as WAV. */

export function picture(hue: number, label: string): string {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480" viewBox="0 0 640 480"><rect width="640" height="480" fill="hsl(${hue} 40% 72%)"/><circle cx="480" cy="120" r="52" fill="hsl(45 90% 80%)"/><path d="M0 380 160 220l120 110 110-140 250 230v60H0z" fill="hsl(${hue} 35% 42%)"/><text x="24" y="452" font-family="sans-serif" font-size="26" fill="#fff">${label}</text></svg>`
  return `data:image/svg+xml,${encodeURIComponent(svg)}`
}

/** A soft tone, 8 kHz mono, as a data URL. */
export function tone(seconds: number): string {
  const rate = 8000
  const count = Math.round(seconds * rate)
  const bytes = new Uint8Array(44 + count)
  const view = new DataView(bytes.buffer)
  const text = (at: number, value: string) =>
    [...value].forEach((letter, index) => view.setUint8(at + index, letter.charCodeAt(0)))
  text(0, 'RIFF')
  view.setUint32(4, 36 + count, true)
  text(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, rate, true)
  view.setUint32(28, rate, true)
  view.setUint16(32, 1, true)
  view.setUint16(34, 8, true)
  text(36, 'data')
  view.setUint32(40, count, true)
  for (let at = 0; at < count; at += 1) {
    bytes[44 + at] = 128 + Math.round(24 * Math.sin((at / rate) * 2 * Math.PI * 330))
  }
  let binary = ''
  for (let at = 0; at < bytes.length; at += 8192) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 8192))
  }
  return `data:audio/wav;base64,${btoa(binary)}`
}
