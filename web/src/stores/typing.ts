/** Which customers are typing just now. */
import { defineStore } from 'pinia'
import { shallowReactive } from 'vue'

/** A sign of typing is believed for this long. */
export const TYPING_MS = 6000

export const useTyping = defineStore('typing', () => {
  const customers = shallowReactive(new Map<number, ReturnType<typeof setTimeout>>())

  function started(conversationId: number): void {
    clearTimeout(customers.get(conversationId))
    customers.set(
      conversationId,
      setTimeout(() => customers.delete(conversationId), TYPING_MS),
    )
  }

  function stopped(conversationId: number): void {
    clearTimeout(customers.get(conversationId))
    customers.delete(conversationId)
  }

  return { customers, started, stopped }
})
