// Sets theme and language on <html> before the first paint, so that a dark page never flashes white.
// A file of its own, not an inline script, so that the page works under a strict content security policy.
;(function () {
  var preferences = {}
  try {
    preferences = JSON.parse(localStorage.getItem('frontdesk.preferences') || '{}') || {}
  } catch {
    preferences = {}
  }
  var dark =
    preferences.theme === 'dark' ||
    (preferences.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  if (preferences.language) document.documentElement.lang = preferences.language
})()
