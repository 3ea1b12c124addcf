import { describe, expect, it } from 'vitest'
import { buildQuickReply } from '../../../mocks/donors'
import { searchQuickReplies, slashWord } from './quick-reply-search'

describe('quick replies', () => {
  it('are asked for by a slash and a word, and by nothing else', () => {
    expect(slashWord('/')).toBe('')
    expect(slashWord('/Terima')).toBe('terima')
    for (const text of ['', 'a/b', '/two words', '//', ' /x', '/x\n'])
      expect(slashWord(text)).toBeNull()
  })

  it('are found by their shortcut first, then by their title', () => {
    const all = [
      buildQuickReply({ id: 1, shortcut: 'hours', title: 'When we are open' }),
      buildQuickReply({ id: 2, shortcut: 'open', title: 'Opening' }),
      buildQuickReply({ id: 3, shortcut: 'thanks', title: 'Obrigado, João' }),
    ]
    const found = (word: string) => searchQuickReplies(all, word).map(({ id }) => id)
    expect(found('')).toEqual([1, 2, 3])
    expect(found('open')).toEqual([2, 1])
    expect(found('joao')).toEqual([3])
    expect(found('nothing')).toEqual([])
  })
})
