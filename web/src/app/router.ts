/** Every screen on one page. A new screen: one route here, and one line in `app/screens.ts` for the rail. */
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import InboxScreen from '@/features/conversations/InboxScreen.vue'
import { withOfficeTexts } from '@/locales/i18n'
import { useSession } from '@/stores/session'

declare module 'vue-router' {
  interface RouteMeta {
    /** Reachable without a session. */
    open?: boolean
    /** Administrators only. */
    admin?: boolean
    /** Locale key of the page title. */
    title?: string
  }
}

const routes: RouteRecordRaw[] = [
  {
    path: '/sign-in',
    name: 'sign-in',
    component: () => import('@/features/session/SignInScreen.vue'),
    meta: { open: true, title: 'signIn.title' },
  },
  {
    path: '/',
    name: 'inbox',
    component: InboxScreen,
    meta: { title: 'nav.inbox' },
  },
  {
    path: '/conversations/:id(\\d+)',
    name: 'conversation',
    component: InboxScreen,
    meta: { title: 'nav.inbox' },
  },
  {
    path: '/monitoring',
    // The address that the documentation of the API gives.
    alias: '/api/v1/monitoring/dashboard',
    name: 'monitoring',
    component: withOfficeTexts(() => import('@/features/monitoring/MonitoringScreen.vue')),
    meta: { title: 'nav.monitoring' },
  },
  {
    path: '/settings',
    name: 'settings',
    component: withOfficeTexts(() => import('@/features/settings/SettingsScreen.vue')),
    redirect: () => ({ name: useSession().isAdmin ? 'channels' : 'tokens' }),
    children: [
      {
        path: 'channels',
        name: 'channels',
        component: () => import('@/features/channels/ChannelsScreen.vue'),
        meta: { admin: true, title: 'settings.channels' },
      },
      {
        path: 'chatwoot',
        name: 'chatwoot',
        component: () => import('@/features/chatwoot/ChatwootScreen.vue'),
        meta: { admin: true, title: 'settings.chatwoot' },
      },
      {
        path: 'users',
        name: 'users',
        component: () => import('@/features/settings/UsersScreen.vue'),
        meta: { admin: true, title: 'settings.users' },
      },
      {
        path: 'quick-replies',
        name: 'quick-replies',
        component: () => import('@/features/settings/QuickRepliesScreen.vue'),
        meta: { title: 'settings.quickReplies' },
      },
      {
        path: 'donors',
        name: 'donors',
        component: () => import('@/features/donors/DonorsScreen.vue'),
        meta: { title: 'settings.donors' },
      },
      {
        path: 'suggestions',
        name: 'suggestions',
        component: () => import('@/features/settings/SuggestionsScreen.vue'),
        meta: { admin: true, title: 'settings.suggestions' },
      },
      {
        path: 'password',
        name: 'password',
        component: () => import('@/features/settings/PasswordScreen.vue'),
        meta: { title: 'settings.password' },
      },
      {
        path: 'tokens',
        name: 'tokens',
        component: () => import('@/features/settings/TokensScreen.vue'),
        meta: { title: 'settings.tokens' },
      },
      {
        path: 'outgoing-webhooks',
        name: 'outgoing-webhooks',
        component: () => import('@/features/settings/OutgoingWebhooksScreen.vue'),
        meta: { admin: true, title: 'settings.outgoing' },
      },
      {
        path: 'webhooks',
        name: 'webhooks',
        component: () => import('@/features/settings/WebhooksScreen.vue'),
        meta: { admin: true, title: 'settings.webhooks' },
      },
      {
        path: 'audit',
        name: 'audit',
        component: () => import('@/features/settings/AuditScreen.vue'),
        meta: { admin: true, title: 'settings.audit' },
      },
    ],
  },
  { path: '/:rest(.*)*', redirect: '/' },
]

export const router = createRouter({ history: createWebHistory(), routes })

router.beforeEach(async (to) => {
  const session = useSession()
  if (!session.known) await session.load().catch(() => undefined)
  if (!session.me && !to.meta.open) return { name: 'sign-in', query: { to: to.fullPath } }
  if (session.me && to.name === 'sign-in') return { name: 'inbox' }
  if (to.meta.admin && !session.isAdmin) return { name: 'inbox' }
  return true
})
