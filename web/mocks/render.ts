/** Renders a component as the app would: stores, translations, routes. */
import { render } from '@testing-library/vue'
import { createPinia, setActivePinia } from 'pinia'
import type { Component } from 'vue'
import { createMemoryHistory, createRouter } from 'vue-router'
import { i18n } from '@/locales/i18n'
import office from '@/locales/office/en'

i18n.global.mergeLocaleMessage('en', office)

export function renderApp(component: Component, props: Record<string, unknown> = {}) {
  const pinia = createPinia()
  setActivePinia(pinia)
  const page = { template: '<div />' }
  const router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/', name: 'inbox', component: page },
      { path: '/conversations/:id', name: 'conversation', component: page },
      { path: '/sign-in', name: 'sign-in', component: page },
      { path: '/settings/channels', name: 'channels', component: page },
    ],
  })
  return { router, ...render(component, { props, global: { plugins: [pinia, i18n, router] } }) }
}
