/** Starts the page. */
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './app/App.vue'
import { router } from './app/router'
import { followLanguage, i18n } from './locales/i18n'
import { usePreferences } from './stores/preferences'
import './styles/main.css'

async function start(): Promise<void> {
  if (import.meta.env.MODE === 'mock') await (await import('../mocks/browser')).startMock()
  const app = createApp(App).use(createPinia()).use(i18n)
  const preferences = usePreferences()
  followLanguage(() => preferences.stored.language)
  app.use(router).mount('#app')
}

void start()
