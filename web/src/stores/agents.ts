/** Who can be given a conversation. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { answer, GET } from '@/api/client'
import type { Person } from '@/api/types'

export const useAgents = defineStore('agents', () => {
  const items = ref<Person[]>([])

  async function load(): Promise<void> {
    items.value = (await answer(GET('/api/v1/users/agents', {}))).data
  }

  return { items, load }
})
