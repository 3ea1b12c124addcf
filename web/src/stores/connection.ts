/** State of the live connection, for the bar at the top. */
import { defineStore } from 'pinia'
import { ref } from 'vue'

export type ConnectionState = 'connecting' | 'connected' | 'reconnecting'

export const useConnection = defineStore('connection', () => {
  const state = ref<ConnectionState>('connecting')
  return { state }
})
